# Managed by the template: `copier update` changes it.
# Events of the workspace reach a queue; with infra.events in conf/ a function sends them to CI.

locals {
  subscribed = {
    models   = { types = ["ModelRegistered", "ModelDeployed"], key = "", text = "" }
    failures = { types = ["RunStatusChanged"], key = "data.RunStatus", text = "Failed" }
    breaches = { types = ["RunStatusChanged"], key = "data.RunTags.azureml_modelmonitor_threshold_breached", text = "has failed" }
  }
  ci       = try(local.conf.infra.events, null)
  function = local.ci == null ? toset([]) : toset(["events"])
  token    = "https://${azurerm_key_vault.this.name}.vault.azure.net/secrets/ci-token"
  told     = { for role in ["ml_engineer", "model_validator", "domain_expert"] : role => [for who, member in local.team.roles : who if contains(keys(local.team.roles), role) ? who == role : try(member.on_call, false)] if local.ci != null }
}

# Of its own, so that who serves events reaches neither data nor models.
resource "azurerm_storage_account" "events" {
  name                            = "ev${local.unique}"
  resource_group_name             = azurerm_resource_group.this.name
  location                        = azurerm_resource_group.this.location
  tags                            = local.conf.tags
  account_tier                    = "Standard"
  account_replication_type        = "LRS"
  min_tls_version                 = "TLS1_2"
  shared_access_key_enabled       = false
  allow_nested_items_to_be_public = false
  network_rules {
    default_action = local.public ? "Allow" : "Deny"
    bypass         = ["AzureServices"] # Event Grid, as the topic
  }
}

resource "azurerm_storage_queue" "events" {
  name               = "events"
  storage_account_id = azurerm_storage_account.events.id
}

resource "azurerm_eventgrid_system_topic" "this" {
  name                = "evgt-${local.project}-${var.environment}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = local.conf.tags
  source_resource_id  = azurerm_machine_learning_workspace.this.id
  topic_type          = "Microsoft.MachineLearningServices.Workspaces"
  identity { type = "SystemAssigned" }
}

resource "azurerm_role_assignment" "topic" {
  scope                = azurerm_storage_account.events.id
  role_definition_name = "Storage Queue Data Message Sender"
  principal_id         = azurerm_eventgrid_system_topic.this.identity[0].principal_id
}

resource "azurerm_eventgrid_system_topic_event_subscription" "queue" {
  for_each             = local.subscribed
  name                 = each.key
  system_topic         = azurerm_eventgrid_system_topic.this.name
  resource_group_name  = azurerm_resource_group.this.name
  included_event_types = [for type in each.value.types : "Microsoft.MachineLearningServices.${type}"]
  delivery_identity { type = "SystemAssigned" }
  dynamic "advanced_filter" {
    for_each = each.value.key == "" ? [] : [each.value]
    content {
      string_contains {
        key    = advanced_filter.value.key
        values = [advanced_filter.value.text]
      }
    }
  }
  storage_queue_endpoint {
    storage_account_id = azurerm_storage_account.events.id
    queue_name         = azurerm_storage_queue.events.name
  }
  depends_on = [azurerm_role_assignment.topic]
}

resource "azurerm_storage_container" "function" {
  for_each           = local.function
  name               = "function"
  storage_account_id = azurerm_storage_account.events.id
}

resource "azurerm_service_plan" "function" {
  for_each            = local.function
  name                = "asp-${local.project}-${var.environment}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = local.conf.tags
  os_type             = "Linux"
  sku_name            = "FC1"
}

resource "azurerm_function_app_flex_consumption" "function" {
  for_each                                       = local.function
  name                                           = "func-${local.unique}"
  resource_group_name                            = azurerm_resource_group.this.name
  location                                       = azurerm_resource_group.this.location
  tags                                           = local.conf.tags
  service_plan_id                                = azurerm_service_plan.function[each.key].id
  storage_container_type                         = "blobContainer"
  storage_container_endpoint                     = "${azurerm_storage_account.events.primary_blob_endpoint}${azurerm_storage_container.function[each.key].name}"
  storage_authentication_type                    = "SystemAssignedIdentity"
  runtime_name                                   = "python"
  runtime_version                                = "3.11"
  instance_memory_in_mb                          = 512
  maximum_instance_count                         = 40 # the least that Azure takes
  https_only                                     = true
  public_network_access_enabled                  = local.public
  virtual_network_subnet_id                      = try(local.ci.subnet, null)
  webdeploy_publish_basic_authentication_enabled = false
  identity { type = "SystemAssigned" }
  site_config {
    application_insights_connection_string = azurerm_application_insights.this.connection_string
    minimum_tls_version                    = "1.2"
  }
  app_settings = {
    AzureWebJobsStorage__accountName = azurerm_storage_account.events.name
    AzureWebJobsStorage__credential  = "managedidentity"
    EVENTS__queueServiceUri          = azurerm_storage_account.events.primary_queue_endpoint
    EVENTS__credential               = "managedidentity"
    PROJECT                          = local.project
    DISPATCH                         = try("https://api.github.com/repos/${local.ci.github}", "https://dev.azure.com/${local.ci.azure_devops}")
    DISPATCH_TOKEN                   = try(length(local.ci.github), 0) > 0 ? "@Microsoft.KeyVault(SecretUri=${local.token}/)" : ""
    PIPELINE_RETRAIN                 = try(tostring(local.ci.pipelines.retrain), "")
    PIPELINE_TEST                    = try(tostring(local.ci.pipelines.test), "")
  }
}

# The host's files and the queue, in their own account; of the vault, one secret.
resource "azurerm_role_assignment" "function" {
  for_each = local.ci == null ? {} : merge(
    { for role in ["Storage Blob Data Owner", "Storage Queue Data Contributor"] : role => azurerm_storage_account.events.id },
    try(length(local.ci.github), 0) > 0 ? { "Key Vault Secrets User" = "${azurerm_key_vault.this.id}/secrets/ci-token" } : {},
  )
  scope                = each.value
  role_definition_name = each.key
  principal_id         = azurerm_function_app_flex_consumption.function["events"].identity[0].principal_id
}

resource "azurerm_private_endpoint" "events" {
  for_each            = local.public || local.subnet == null ? toset([]) : toset(["blob", "queue"])
  name                = "pe-${local.project}-${var.environment}-events-${each.key}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = local.conf.tags
  subnet_id           = local.subnet
  private_service_connection {
    name                           = each.key
    private_connection_resource_id = azurerm_storage_account.events.id
    subresource_names              = [each.key]
    is_manual_connection           = false
  }
}

# What the function says to a role becomes a mail.
resource "azurerm_monitor_scheduled_query_rules_alert_v2" "told" {
  for_each                = local.told
  name                    = "tell-${local.project}-${var.environment}-${each.key}"
  description             = "An event concerns this role: docs/gates.md, Events"
  resource_group_name     = azurerm_resource_group.this.name
  location                = azurerm_resource_group.this.location
  tags                    = local.conf.tags
  scopes                  = [azurerm_application_insights.this.id]
  severity                = 3
  evaluation_frequency    = "PT5M"
  window_duration         = "PT5M"
  auto_mitigation_enabled = false
  criteria {
    query                   = "traces | where message startswith 'TELL ${each.key}: '"
    time_aggregation_method = "Count"
    operator                = "GreaterThan"
    threshold               = 0
    dimension {
      name     = "message"
      operator = "Include"
      values   = ["*"]
    }
  }
  action { action_groups = [for who in each.value : azurerm_monitor_action_group.role[who].id] }
}

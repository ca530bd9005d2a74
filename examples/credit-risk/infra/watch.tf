# Managed by the template: `copier update` changes it.
# What is watched, what it may cost, who is told. Alerts come here, from conf/alerts.yml.

resource "azurerm_log_analytics_workspace" "this" {
  name                = "log-${local.project}-${var.environment}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = local.conf.tags
  retention_in_days   = 90
}

resource "azurerm_application_insights" "this" {
  name                = "appi-${local.project}-${var.environment}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = local.conf.tags
  application_type    = "web"
  workspace_id        = azurerm_log_analytics_workspace.this.id
}

resource "azurerm_monitor_diagnostic_setting" "this" {
  name                       = "logs"
  target_resource_id         = azurerm_machine_learning_workspace.this.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.this.id
  enabled_log { category_group = "allLogs" }
  enabled_metric { category = "AllMetrics" }
}

resource "azurerm_monitor_action_group" "role" {
  for_each            = local.team.roles
  name                = "ag-${local.project}-${var.environment}-${each.key}"
  short_name          = substr(replace(each.key, "_", ""), 0, 12)
  resource_group_name = azurerm_resource_group.this.name
  tags                = local.conf.tags
  email_receiver {
    name          = each.key
    email_address = each.value.address
  }
}

resource "azurerm_consumption_budget_resource_group" "this" {
  name              = "budget-${local.project}-${var.environment}"
  resource_group_id = azurerm_resource_group.this.id
  amount            = local.conf.infra.budget
  time_period { start_date = formatdate("YYYY-MM-'01T00:00:00Z'", plantimestamp()) }
  dynamic "notification" {
    for_each = { actual_80 = ["Actual", 80], actual_100 = ["Actual", 100], forecast_100 = ["Forecasted", 100] }
    content {
      operator       = "GreaterThanOrEqualTo"
      threshold_type = notification.value[0]
      threshold      = notification.value[1]
      contact_emails = [for member in values(local.team.roles) : member.address if try(member.on_call, false)]
    }
  }
  lifecycle { ignore_changes = [time_period] }
}

resource "azurerm_storage_queue" "events" {
  name               = "events"
  storage_account_id = azurerm_storage_account.this.id
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

resource "azurerm_eventgrid_system_topic_event_subscription" "queue" {
  name                 = "queue"
  system_topic         = azurerm_eventgrid_system_topic.this.name
  resource_group_name  = azurerm_resource_group.this.name
  included_event_types = [for event in ["ModelRegistered", "ModelDeployed", "RunCompleted", "RunStatusChanged"] : "Microsoft.MachineLearningServices.${event}"]
  delivery_identity { type = "SystemAssigned" }
  storage_queue_endpoint {
    storage_account_id = azurerm_storage_account.this.id
    queue_name         = azurerm_storage_queue.events.name
  }
  depends_on = [azurerm_role_assignment.service]
}

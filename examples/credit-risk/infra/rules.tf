# Managed by the template: `copier update` changes it.
# What holds in each environment: `poe infra-check` tests it, and so do `infra-plan` and `infra-apply`.

locals {
  storage  = azurerm_storage_account.this
  vault    = azurerm_key_vault.this
  images   = azurerm_container_registry.this
  place    = azurerm_machine_learning_workspace.this
  cluster  = azurerm_machine_learning_compute_cluster.cpu
  budget   = azurerm_consumption_budget_resource_group.this
  board    = azurerm_application_insights_workbook.dashboard
  events   = azurerm_storage_account.events
  sent     = azurerm_eventgrid_system_topic_event_subscription.queue
  serving  = azurerm_function_app_flex_consumption.function
  prod     = var.environment == "prod"
  subjects = { for job, made in azurerm_federated_identity_credential.ci : job => made.subject }
  rules = [
    ["main.tf: names are those that the commands use",
    [azurerm_resource_group.this.name, local.place.name, local.cluster.name] == [local.conf.resource_group, local.conf.workspace, yamldecode(file("${path.module}/../azureml/compute/cpu.yml")).name]],
    ["main.tf: everything has the tags of conf/",
    alltrue([for made in [azurerm_resource_group.this, local.storage, local.vault, local.images, local.place, local.cluster] : jsonencode(made.tags) == jsonencode(local.conf.tags)])],
    ["main.tf: addresses are public where conf/ says so, and nowhere else",
    alltrue([for open in concat([for made in [local.storage, local.vault, local.images, local.place] : made.public_network_access_enabled], [local.cluster.node_public_ip_enabled]) : open == local.conf.network.public])],
    ["conf/prod.yml: production is private, or `decided_by` says who opened it",
    !local.prod || !local.conf.network.public || can(length(local.conf.network.decided_by))],
    ["main.tf: a private workspace has a managed network, and builds images on its cluster",
    local.public || local.place.managed_network[0].isolation_mode != "Disabled" && local.place.image_build_compute_name == local.cluster.name],
    ["main.tf: with a subnet, a private workspace and what it uses have private endpoints",
    join(" ", keys(azurerm_private_endpoint.this)) == (local.public || local.subnet == null ? "" : "amlworkspace blob file registry vault")],
    ["main.tf: storage has no keys, nothing public to read, and no old TLS",
    [local.storage.shared_access_key_enabled, local.storage.allow_nested_items_to_be_public, local.storage.min_tls_version] == [false, false, "TLS1_2"]],
    ["main.tf: production's storage survives the loss of a zone, and its vault cannot be purged",
    !local.prod || local.storage.account_replication_type == "ZRS" && local.vault.purge_protection_enabled == true],
    ["main.tf: the vault knows roles, the images' registry no administrator",
    [local.vault.rbac_authorization_enabled, local.images.admin_enabled] == [true, false]],
    ["main.tf: nobody logs in to the cluster, and it rests at zero",
    [local.cluster.ssh_public_access_enabled, local.cluster.local_auth_enabled, local.cluster.scale_settings[0].min_node_count] == [false, false, 0]],
    ["main.tf: size, tier and limits of the cluster are those of conf/",
    [local.cluster.vm_size, local.cluster.vm_priority, local.cluster.scale_settings[0].max_node_count, local.cluster.scale_settings[0].scale_down_nodes_after_idle_duration] == [local.conf.cluster.size, local.conf.cluster.tier == "dedicated" ? "Dedicated" : "LowPriority", local.conf.cluster.max_nodes, "PT${local.conf.cluster.idle_seconds}S"]],
    ["main.tf: workspace and cluster act as themselves",
    [local.place.identity[0].type, local.cluster.identity[0].type] == ["SystemAssigned", "SystemAssigned"]],
    ["access.tf: each role takes out what hands out keys",
    alltrue([for role in azurerm_role_definition.this : length(role.permissions[0].not_actions) >= 6])],
    ["roles.yml: each set that a role names is there",
    alltrue([for set in flatten(values(local.here)) : contains(keys(local.roles.sets), set)])],
    ["access.tf: a role for each of people, and for each job of CI",
    length(local.definitions) == length(local.roles.people) + (var.environment == "dev" ? 2 : 1)],
    ["access.tf: production's data is read just in time, unless conf/team.yml says no",
    [contains(keys(azurerm_pim_eligible_role_assignment.this), "data_reader"), contains(keys(azurerm_role_assignment.this), "data_reader")] == [contains(keys(local.groups), "data_reader") && local.prod && try(local.team.just_in_time, true), contains(keys(local.groups), "data_reader") && !(local.prod && try(local.team.just_in_time, true))]],
    ["access.tf: dev's identity shares nothing, and each job has one of its own",
    join(" ", keys(azurerm_user_assigned_identity.ci)) == (var.environment == "dev" ? "dev share" : var.environment)],
    ["access.tf: only one job can log in as an identity: on GitHub, that of its environment",
    alltrue([for job, subject in local.subjects : !strcontains(subject, "*") && (!strcontains(local.team.ci.issuer, "githubusercontent") || endswith(subject, ":environment:${job}"))])],
    ["access.tf: credentials are for the issuer of conf/team.yml and for Azure",
    alltrue([for made in azurerm_federated_identity_credential.ci : made.issuer == local.team.ci.issuer && made.audience == tolist(["api://AzureADTokenExchange"])])],
    ["watch.tf: each role has its address, and somebody is on call",
    { for role, group in azurerm_monitor_action_group.role : role => group.email_receiver[0].email_address } == { for role, member in local.team.roles : role => member.address } && alltrue([for told in local.budget.notification : length(told.contact_emails) > 0])],
    ["watch.tf: each alert of the workspace is there, with its limit, and tells somebody",
    [for name, alert in local.alerts : "${name} ${alert.above * alert.metric[3]}" if alert.metric[0] == "workspace"] == [for name, made in azurerm_monitor_metric_alert.this : "${name} ${made.criteria[0].threshold}" if local.alerts[name].metric[0] == "workspace" && length(made.action) > 0]],
    ["watch.tf: the budget is that of conf/, and tells before and after",
    local.budget.amount == local.conf.infra.budget && toset(local.budget.notification[*].threshold_type) == toset(["Actual", "Forecasted"])],
    ["watch.tf: the dashboard asks the logs of the environment, with the limits of conf/alerts.yml and the budget",
    local.board.source_id == lower(azurerm_log_analytics_workspace.this.id) && alltrue([for limit in concat([for alert in local.team_alerts : alert.above if contains(local.watched, alert.measure)], [local.budget.amount]) : strcontains(join(" ", [for item in jsondecode(local.board.data_json).items : try(item.content.query, "")]), "real(${limit})")])],
    ["watch.tf: the endpoint's requests are logged, once it is there",
    join(" ", flatten([for made in azurerm_monitor_diagnostic_setting.endpoint : made.enabled_log[*].category])) == (try(local.conf.infra.endpoint, false) ? "AmlOnlineEndpointTrafficLog" : "")],
    ["watch.tf: logs are kept for 90 days, all of the workspace's",
    azurerm_log_analytics_workspace.this.retention_in_days >= 90 && length(azurerm_monitor_diagnostic_setting.this.enabled_log) > 0],
    ["events.tf: the topic is Azure ML's, and sends as itself what somebody must know, nothing else",
    azurerm_eventgrid_system_topic.this.topic_type == "Microsoft.MachineLearningServices.Workspaces" && alltrue([for made in local.sent : try(made.delivery_identity[0].type, "") == "SystemAssigned" && made.storage_queue_endpoint[0].queue_name == azurerm_storage_queue.events.name]) && { for name, made in local.sent : name => concat([for type in made.included_event_types : replace(type, "Microsoft.MachineLearningServices.", "")], flatten([for filter in made.advanced_filter : [filter.string_contains[0].key, filter.string_contains[0].values]])) } == { models = ["ModelRegistered", "ModelDeployed"], failures = ["RunStatusChanged", "data.RunStatus", "Failed"], breaches = ["RunStatusChanged", "data.RunTags.azureml_modelmonitor_threshold_breached", "has failed"] }],
    ["events.tf: events wait in an account of their own, without keys, reached as conf/ says",
    [local.events.id != local.storage.id, azurerm_storage_queue.events.storage_account_id == local.events.id, local.events.shared_access_key_enabled, local.events.allow_nested_items_to_be_public, local.events.min_tls_version, local.events.network_rules[0].default_action, join(" ", keys(azurerm_private_endpoint.events))] == [true, true, false, false, "TLS1_2", local.public ? "Allow" : "Deny", local.public || local.subnet == null ? "" : "blob queue"]],
    ["events.tf: a function where conf/ names what it tells, encrypted, without passwords, private where conf/ says so",
    length(local.serving) == (local.ci == null ? 0 : 1) && alltrue([for made in local.serving : made.https_only && !made.webdeploy_publish_basic_authentication_enabled && made.public_network_access_enabled == local.public && made.storage_authentication_type == "SystemAssignedIdentity" && (local.public || made.virtual_network_subnet_id == try(local.ci.subnet, "none"))])],
    ["events.tf: the function reaches its own account and one secret, the topic the queue",
    azurerm_role_assignment.topic.scope == local.events.id && azurerm_role_assignment.topic.role_definition_name == "Storage Queue Data Message Sender" && alltrue([for role, made in azurerm_role_assignment.function : made.scope == (role == "Key Vault Secrets User" ? "${local.vault.id}/secrets/ci-token" : local.events.id) && contains(["Key Vault Secrets User", "Storage Blob Data Owner", "Storage Queue Data Contributor"], made.role_definition_name)])],
    ["events.tf: no secret stands in the function's settings",
    alltrue(flatten([for made in local.serving : [for name, value in made.app_settings : name != "AzureWebJobsStorage" && !strcontains(value, "AccountKey") && (name != "DISPATCH_TOKEN" || value == "" || startswith(value, "@Microsoft.KeyVault("))]]))],
    ["events.tf: the function knows the project and its CI, and each role that it names is told",
    alltrue([for made in local.serving : made.app_settings.PROJECT == local.project && length(regexall("^https://(api.github.com/repos|dev.azure.com)/[^/]+/[^/]+$", made.app_settings.DISPATCH)) == 1]) && join(" ", [for role, made in azurerm_monitor_scheduled_query_rules_alert_v2.told : role if length(made.action[0].action_groups) > 0 && strcontains(made.criteria[0].query, "TELL ${role}: ")]) == (local.ci == null ? "" : "domain_expert ml_engineer model_validator")],
  ]
  broken = [for rule in local.rules : rule[0] if !rule[1]]
}

output "rules" {
  description = "What was checked."
  value       = [for rule in local.rules : rule[0]]
  precondition {
    condition     = length(local.broken) == 0
    error_message = "broken: ${join("; ", local.broken)}"
  }
  precondition {
    condition     = alltrue([for made in azurerm_role_assignment.this : made.scope == azurerm_resource_group.this.id || startswith(made.scope, "${local.shared}/providers/")])
    error_message = "broken: access.tf: rights end at the group and at the registry"
  }
}

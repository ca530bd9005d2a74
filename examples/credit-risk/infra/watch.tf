# Managed by the template: `copier update` changes it.
# What is watched, what it may cost, who is told.

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

# Alerts of conf/alerts.yml whose measure Azure Monitor has: of what, metric, aggregation, units, kind of answer.
locals {
  metrics = {
    errors_per_minute  = ["endpoint", "RequestsPerMinute", "Average", 1, "5xx"]
    refused_per_minute = ["endpoint", "RequestsPerMinute", "Average", 1, "4xx"]
    seconds_p95        = ["endpoint", "RequestLatency_P95", "Average", 1000, ""]
    failed_runs        = ["workspace", "Failed Runs", "Total", 1, ""]
    unusable_nodes     = ["workspace", "Unusable Nodes", "Maximum", 1, ""]
    quota_share        = ["workspace", "Quota Utilization Percentage", "Average", 100, ""]
  }
  windows     = { PT5M = 5, PT15M = 15, PT30M = 30, PT1H = 60, PT6H = 360, PT12H = 720, P1D = 1440 }
  units       = { m = 1, h = 60, d = 1440 }
  team_alerts = yamldecode(file("${path.module}/../conf/alerts.yml")).alerts
  alerts = {
    for name, alert in local.team_alerts : name => merge(alert, {
      metric  = local.metrics[alert.measure]
      minutes = tonumber(regex("^\\d+", alert.for)) * local.units[substr(alert.for, -1, 1)]
      told    = distinct(concat([alert.role], [for role, member in local.team.roles : role if alert.severity == "page" && try(member.on_call, false)]))
    }) if contains(keys(local.metrics), alert.measure)
  }
}

resource "azurerm_monitor_metric_alert" "this" {
  # Those of the endpoint come once `azure-setup` has made it: infra.endpoint in conf/.
  for_each            = { for name, alert in local.alerts : name => alert if alert.metric[0] == "workspace" || try(local.conf.infra.endpoint, false) }
  name                = "alert-${local.project}-${var.environment}-${each.key}"
  description         = "docs/alerts.md or docs/runbook.md, ${each.key}"
  resource_group_name = azurerm_resource_group.this.name
  tags                = local.conf.tags
  scopes              = [join("", [azurerm_machine_learning_workspace.this.id, each.value.metric[0] == "endpoint" ? "/onlineEndpoints/${local.conf.endpoints.online}" : ""])]
  severity            = each.value.severity == "page" ? 1 : 3
  frequency           = "PT5M"
  window_size         = [for size in ["PT5M", "PT15M", "PT30M", "PT1H", "PT6H", "PT12H", "P1D"] : size if local.windows[size] >= min(each.value.minutes, 1440)][0]
  criteria {
    metric_namespace = each.value.metric[0] == "endpoint" ? "Microsoft.MachineLearningServices/workspaces/onlineEndpoints" : "Microsoft.MachineLearningServices/workspaces"
    metric_name      = each.value.metric[1]
    aggregation      = each.value.metric[2]
    operator         = "GreaterThan"
    threshold        = each.value.above * each.value.metric[3]
    dynamic "dimension" {
      for_each = each.value.metric[4] == "" ? [] : [each.value.metric[4]]
      content {
        name     = "statusCodeClass"
        operator = "Include"
        values   = [dimension.value]
      }
    }
  }
  dynamic "action" {
    for_each = each.value.told
    content { action_group_id = azurerm_monitor_action_group.role[action.value].id }
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

# Requests of the endpoint, once there is one: the dashboard counts them.
resource "azurerm_monitor_diagnostic_setting" "endpoint" {
  count                      = try(local.conf.infra.endpoint, false) ? 1 : 0
  name                       = "logs"
  target_resource_id         = "${azurerm_machine_learning_workspace.this.id}/onlineEndpoints/${local.conf.endpoints.online}"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.this.id
  enabled_log { category = "AmlOnlineEndpointTrafficLog" }
}

# The dashboard. workbook.json.tftpl is `mlops azure workbook`; what differs by project is filled in here.
locals {
  watched = ["errors_per_minute", "refused_per_minute", "seconds_p95", "model_age_days", "failed_runs", "unusable_nodes", "quota_share"]
  workbook = templatefile("${path.module}/workbook.json.tftpl", {
    project     = local.project
    environment = var.environment
    logs        = azurerm_log_analytics_workspace.this.id
    online      = local.conf.endpoints.online
    budget      = azurerm_consumption_budget_resource_group.this.amount
    hour        = try(yamldecode(file("${path.module}/../conf/cost.yml")).machines[local.conf.cluster.size][local.conf.cluster.tier == "dedicated" ? "hour" : "low_priority"], "null")
    limits = { for measure in local.watched : measure => { for severity in ["ticket", "page"] : severity =>
    try(tostring(min([for alert in local.team_alerts : alert.above if alert.measure == measure && alert.severity == severity]...)), "null") } }
  })
}

resource "azurerm_application_insights_workbook" "dashboard" {
  name                = uuidv5("dns", "${local.project}.${var.environment}")
  display_name        = "${local.project} ${var.environment}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = local.conf.tags
  source_id           = lower(azurerm_log_analytics_workspace.this.id)
  data_json           = local.workbook
}

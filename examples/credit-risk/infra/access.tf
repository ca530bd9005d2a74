# Managed by the template: `copier update` changes it.
# Who may do what: the roles of roles.yml, the groups of conf/team.yml, the identities of CI.

locals {
  roles = yamldecode(file("${path.module}/roles.yml"))
  jobs  = var.environment == "dev" ? ["dev", "share"] : [var.environment]
  own   = try(local.team.definitions, "own") == "own"
  here = merge(
    { for role, sets in local.roles.people : role => sets[var.environment] },
    { for job in local.jobs : "ci_${job}" => local.roles.ci[job] },
  )
  definitions = local.own ? { for role, made in azurerm_role_definition.this : role => made.role_definition_resource_id } : { for role, found in data.azurerm_role_definition.central : role => found.id }
  groups      = { for role, member in local.team.roles : role => member.group if try(member.group, null) != null && contains(keys(local.here), role) }
  eligible    = { for role, group in local.groups : role => group if role == "data_reader" && var.environment == "prod" && try(local.team.just_in_time, true) }
  standing    = { for role, group in local.groups : role => group if !contains(keys(local.eligible), role) }
  identities  = { for job, made in azurerm_user_assigned_identity.ci : "ci_${job}" => made.principal_id }
  scopes = merge(
    { for role, id in merge(local.standing, local.identities) : role => { role = role, id = id, scope = azurerm_resource_group.this.id } },
    # The registry is production's: people have there what they have in production.
    { for role, id in merge(var.environment == "prod" ? local.standing : {}, local.identities) : "${role}_registry" => { role = role, id = id, scope = "${local.shared}/providers/Microsoft.MachineLearningServices/registries/${local.conf.registry}" } },
  )
}

resource "azurerm_role_definition" "this" {
  for_each          = local.own ? local.here : {}
  name              = "${local.project} ${var.environment} ${each.key}"
  scope             = azurerm_resource_group.this.id
  assignable_scopes = [azurerm_resource_group.this.id, local.shared]
  permissions {
    actions = distinct(flatten([for set in each.value : [
      [for action in try(local.roles.sets[set].ml, []) : "Microsoft.MachineLearningServices/${action}"],
      try(local.roles.sets[set].other, []),
    ]]))
    not_actions  = [for action in local.roles.never : "Microsoft.MachineLearningServices/${action}"]
    data_actions = distinct(flatten([for set in each.value : [for action in try(local.roles.sets[set].blobs, []) : "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/${action}"]]))
  }
}

data "azurerm_role_definition" "central" {
  for_each = local.own ? {} : local.here
  name     = "${local.team.definitions} ${var.environment} ${each.key}"
  scope    = azurerm_resource_group.this.id
}

resource "azurerm_role_assignment" "this" {
  for_each           = local.scopes
  scope              = each.value.scope
  role_definition_id = local.definitions[each.value.role]
  principal_id       = each.value.id
}

resource "azurerm_pim_eligible_role_assignment" "this" {
  for_each           = local.eligible
  scope              = azurerm_resource_group.this.id
  role_definition_id = local.definitions[each.key]
  principal_id       = each.value
}

resource "azurerm_user_assigned_identity" "ci" {
  for_each            = toset(local.jobs)
  name                = "id-${local.project}-${each.key}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = local.conf.tags
}

resource "azurerm_federated_identity_credential" "ci" {
  for_each            = { for job, subject in try(local.team.ci.subjects, {}) : job => subject if contains(local.jobs, job) }
  name                = "ci"
  resource_group_name = azurerm_resource_group.this.name
  parent_id           = azurerm_user_assigned_identity.ci[each.key].id
  audience            = ["api://AzureADTokenExchange"]
  issuer              = local.team.ci.issuer
  subject             = each.value
}

# Jobs read and write data as the cluster.
resource "azurerm_role_assignment" "cluster" {
  scope                = azurerm_storage_account.this.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = azurerm_machine_learning_compute_cluster.cpu.identity[0].principal_id
}

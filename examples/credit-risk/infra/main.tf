# Managed by the template: `copier update` changes it. Resources of your own: own.tf, beside it.
# One environment in Azure, from conf/<environment>.yml: docs/azure.md.

terraform {
  required_version = "~> 1.11"
  required_providers {
    azurerm = { source = "hashicorp/azurerm", version = "4.55.0" }
  }
  backend "azurerm" {} # `poe infra-plan` and `poe infra-apply` say where
}

provider "azurerm" {
  resource_provider_registrations = "none"
  storage_use_azuread             = true
  features {
    storage { data_plane_available = false } # its address may be private
  }
}

variable "environment" {
  type        = string
  description = "dev, staging or prod: which file of conf/."
}

data "azurerm_client_config" "this" {}

locals {
  conf    = yamldecode(file("${path.module}/../conf/${var.environment}.yml"))
  team    = yamldecode(file("${path.module}/../conf/team.yml"))
  project = yamldecode(file("${path.module}/../conf/project.yml")).name
  public  = local.conf.network.public
  subnet  = try(local.conf.infra.subnet, null)
  shared  = "/subscriptions/${data.azurerm_client_config.this.subscription_id}/resourceGroups/${local.conf.infra.shared}"
  # Names that are taken worldwide: 24 letters and digits with their two first ones.
  unique = "${substr(replace(local.project, "-", ""), 0, 14)}${substr(sha256("${local.shared}/${local.conf.resource_group}"), 0, 8)}"
}

# An administrator makes the group, so that CI needs rights in it alone: docs/connect.md.
import {
  to = azurerm_resource_group.this
  id = "/subscriptions/${data.azurerm_client_config.this.subscription_id}/resourceGroups/${local.conf.resource_group}"
}

resource "azurerm_resource_group" "this" {
  name     = local.conf.resource_group
  location = local.conf.infra.location
  tags     = local.conf.tags
}

resource "azurerm_storage_account" "this" {
  name                            = "st${local.unique}"
  resource_group_name             = azurerm_resource_group.this.name
  location                        = azurerm_resource_group.this.location
  tags                            = local.conf.tags
  account_tier                    = "Standard"
  account_replication_type        = var.environment == "prod" ? "ZRS" : "LRS"
  min_tls_version                 = "TLS1_2"
  shared_access_key_enabled       = false
  allow_nested_items_to_be_public = false
  public_network_access_enabled   = local.public
}

resource "azurerm_key_vault" "this" {
  name                          = "kv${local.unique}"
  resource_group_name           = azurerm_resource_group.this.name
  location                      = azurerm_resource_group.this.location
  tags                          = local.conf.tags
  tenant_id                     = data.azurerm_client_config.this.tenant_id
  sku_name                      = "standard"
  rbac_authorization_enabled    = true
  purge_protection_enabled      = var.environment == "prod"
  public_network_access_enabled = local.public
}

resource "azurerm_container_registry" "this" {
  name                          = "cr${local.unique}"
  resource_group_name           = azurerm_resource_group.this.name
  location                      = azurerm_resource_group.this.location
  tags                          = local.conf.tags
  sku                           = local.public ? "Standard" : "Premium" # private ones are premium
  admin_enabled                 = false
  public_network_access_enabled = local.public
}

resource "azurerm_machine_learning_workspace" "this" {
  name                          = local.conf.workspace
  resource_group_name           = azurerm_resource_group.this.name
  location                      = azurerm_resource_group.this.location
  tags                          = local.conf.tags
  application_insights_id       = azurerm_application_insights.this.id
  container_registry_id         = azurerm_container_registry.this.id
  key_vault_id                  = azurerm_key_vault.this.id
  storage_account_id            = azurerm_storage_account.this.id
  public_network_access_enabled = local.public
  image_build_compute_name      = local.public ? null : "cpu" # a private registry builds nothing
  identity { type = "SystemAssigned" }
  managed_network { isolation_mode = local.public ? "Disabled" : "AllowInternetOutbound" }
}

resource "azurerm_machine_learning_compute_cluster" "cpu" {
  name                          = "cpu"
  location                      = azurerm_resource_group.this.location
  tags                          = local.conf.tags
  machine_learning_workspace_id = azurerm_machine_learning_workspace.this.id
  vm_size                       = local.conf.cluster.size
  vm_priority                   = local.conf.cluster.tier == "dedicated" ? "Dedicated" : "LowPriority"
  node_public_ip_enabled        = local.public
  subnet_resource_id            = try(local.conf.network.subnet, null)
  ssh_public_access_enabled     = false
  local_auth_enabled            = false
  identity { type = "SystemAssigned" }
  scale_settings {
    min_node_count                       = 0
    max_node_count                       = local.conf.cluster.max_nodes
    scale_down_nodes_after_idle_duration = "PT${local.conf.cluster.idle_seconds}S"
  }
}

resource "azurerm_private_endpoint" "this" {
  for_each = local.public || local.subnet == null ? {} : {
    amlworkspace = azurerm_machine_learning_workspace.this.id
    blob         = azurerm_storage_account.this.id
    file         = azurerm_storage_account.this.id
    vault        = azurerm_key_vault.this.id
    registry     = azurerm_container_registry.this.id
  }
  name                = "pe-${local.project}-${var.environment}-${each.key}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = local.conf.tags
  subnet_id           = local.subnet
  private_service_connection {
    name                           = each.key
    private_connection_resource_id = each.value
    subresource_names              = [each.key]
    is_manual_connection           = false
  }
}

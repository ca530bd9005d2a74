# Managed by the template: `copier update` changes it.
# `poe infra-check`: makes each environment in memory, without an account, so that rules.tf judges it.

mock_provider "azurerm" {
  mock_data "azurerm_client_config" {
    defaults = { subscription_id = "00000000-0000-0000-0000-000000000001", tenant_id = "00000000-0000-0000-0000-000000000002" }
  }
}

# It is imported, so its id is known, and azurerm looks at it.
override_resource {
  target = azurerm_resource_group.this
  values = { id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/imported" }
}

run "dev" {
  state_key = "dev"
  variables { environment = "dev" }
}

run "staging" {
  state_key = "staging"
  variables { environment = "staging" }
}

run "prod" {
  state_key = "prod"
  variables { environment = "prod" }
}

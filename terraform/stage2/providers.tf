provider "azurerm" {
  subscription_id = var.subscription_id

  # Registered by name: version 5 registers nothing by itself, and a list shows what the platform uses.
  resource_provider_registrations = "none"
  resource_providers_to_register = concat(local._container_apps_providers, [
    "Microsoft.AlertsManagement",
    "Microsoft.ApiManagement",
    "Microsoft.ContainerInstance",
    "Microsoft.DocumentDB",
    "Microsoft.Insights",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
  ])

  storage_use_azuread = true

  features {
    api_management {
      # A destroyed gateway keeps its name for 48 hours: take it back instead of failing.
      purge_soft_delete_on_destroy = false
      recover_soft_deleted         = true
    }

    key_vault {
      # The vault has purge protection: a removed secret stays recoverable, and comes back when it is declared again.
      purge_soft_deleted_secrets_on_destroy = false
      recover_soft_deleted_secrets          = true
    }
  }
}

provider "azuread" {}

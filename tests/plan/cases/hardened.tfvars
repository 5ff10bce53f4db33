# On prod: agents of Azure DevOps in the network, a customer-managed key, the state behind a private endpoint, an internal gateway without a domain of its own, owners, and no façade.

name                 = "mcp-hard"
acr_name             = "acrmcphard"
key_vault_name       = "keyvault-mcp-hard"
cosmos_account_name  = "cosmos-mcp-hard"
gateway_exposure     = "internal"
oauth_facade_enabled = false
owners               = ["11111111-2222-3333-4444-555555555555", "11111111-2222-3333-4444-666666666666"]

customer_managed_key = {
  key_id       = "https://keyvault-keys.vault.azure.net/keys/mcp-data"
  key_vault_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-keys/providers/Microsoft.KeyVault/vaults/keyvault-keys"
}

data_protection = {
  prevent_destroy = true
  locks           = ["database", "key_vault", "registry"]
}

state_account = {
  id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-mcp-prod/providers/Microsoft.Storage/storageAccounts/stmcptfstateprod"
}

network = {
  address_space    = ["10.80.0.0/22"]
  subnets          = { apim = "10.80.0.0/27", endpoints = "10.80.0.64/26", containers = "10.80.1.0/24" }
  nat_gateway_zone = "2"
  containers_egress = {
    release-notes = { priority = 200, description = "Release notes come from here.", destination = "198.51.100.0/24" }
  }
}

agents = {
  organization_url     = "https://dev.azure.com/example"
  projects             = ["platform"]
  service_principal_id = "988bff58-43dc-57fa-a561-1f9489c28a80"
  subnet               = "10.80.2.0/28"
  maximum              = 2
}

mcp_clients = {
  portal = {
    platform      = "single-page"
    redirect_uris = ["https://portal.example.com/signed-in"]
  }
}

cosmos = {
  throughput_mode = "fixed"
  zone_redundant  = true
  backup          = { type = "Periodic", interval_in_minutes = 720, retention_in_hours = 48, storage_redundancy = "Zone" }
  databases = {
    platform = {
      throughput = 400
      collections = {
        incidents = { shard_key = "service" }
        events = {
          shard_key           = "service"
          throughput          = 1000
          default_ttl_seconds = 86400
          indexes             = { by-number = { keys = ["service", "number"], unique = true } }
        }
      }
    }
  }
}

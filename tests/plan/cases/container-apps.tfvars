# On prod: one server as apps and one in container groups; secrets by reference, zones, an earlier kind beside the new one.

name                = "mcp-apps"
acr_name            = "acrmcpapps"
key_vault_name      = "keyvault-mcp-apps"
cosmos_account_name = "cosmos-mcp-apps"

container_apps = { subnet = "10.60.2.0/26", zone_redundant = true }

mcp_servers = {
  mongodb = {
    compute  = "container-apps"
    image    = { repository = "mongodb-mcp", tag = "0.2.0" }
    database = "cosmosdb-mongodb"
    cpu      = 0.75
    memory   = 1.5
    scale    = { minimum = 2, maximum = 8, concurrent_requests = 20 }
    secrets  = { MCP_CONFIRMATION_KEY = "confirmation-key" }
    timeout  = 60
    tiers = {
      admin  = { role = "Mcp.Admin", connection = "read-write" }
      reader = { role = "Mcp.Read", connection = "read-only" }
    }
  }
  release-notes = {
    image = { repository = "release-notes-mcp", digest = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" }
    port  = 9000
    slots = ["a", "b"]
    tiers = { reader = { role = "Mcp.Read" } }
  }
}

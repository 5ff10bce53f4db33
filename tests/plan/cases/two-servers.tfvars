# On dev: a second server without a database, replicas, groups instead of app roles, a firewalled registry, declared collections.

name                = "mcp-two"
acr_name            = "acrmcptwo"
key_vault_name      = "keyvault-mcp-two"
cosmos_account_name = "cosmos-mcp-two"
authorization       = "groups"
registry            = { sku = "Premium" }

mcp_servers = {
  mongodb = {
    image    = { repository = "mongodb-mcp", tag = "0.1.0" }
    database = "cosmosdb-mongodb"
    tiers = {
      admin  = { role = "Mcp.Admin", connection = "read-write" }
      reader = { role = "Mcp.Read", connection = "read-only" }
    }
  }
  release-notes = {
    image = { repository = "release-notes-mcp", tag = "1.4.2" }
    port  = 9000
    tiers = { reader = { role = "Mcp.Read" } }
  }
}

cosmos = {
  throughput_mode = "autoscale"
  active_key      = "secondary"
  databases = {
    shop = {
      throughput = 1000
      collections = {
        orders = { shard_key = "customer_id", indexes = { by-day = { keys = ["day"] } } }
      }
    }
  }
}

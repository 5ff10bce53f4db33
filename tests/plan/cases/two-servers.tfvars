# On dev: a second server without a database, one elsewhere, one that acts as its caller, replicas, lists of tools, groups instead of app roles, a firewalled registry, declared collections, a closed registry.

name                = "mcp-two"
acr_name            = "acrmcptwo"
key_vault_name      = "keyvault-mcp-two"
cosmos_account_name = "cosmos-mcp-two"
authorization       = "groups"
registry            = { sku = "Premium" }
mcp_registry        = { access = "signed-in", namespace = "com.example.mcp" }

mcp_servers = {
  mongodb = {
    image    = { repository = "mongodb-mcp", tag = "0.2.0" }
    database = "cosmosdb-mongodb"
    slots    = ["a", "b"]
    timeout  = 60
    tiers = {
      admin = {
        role       = "Mcp.Admin"
        connection = "read-write"
        tools      = { repeatable = ["find", "count", "list-*"] }
      }
      reader = {
        role       = "Mcp.Read"
        connection = "read-only"
        tools      = { allow = ["find", "count", "list-*"], deny = ["list-databases"] }
        rate_limit = { calls = 100, period = 30 }
      }
    }
  }
  release-notes = {
    image = { repository = "release-notes-mcp", digest = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" }
    port  = 9000
    tiers = { reader = { role = "Mcp.Read" } }
  }
  tickets = {
    remote = {
      url        = "https://mcp.example.com/mcp"
      credential = { header = "Authorization", scheme = "Bearer", secret = "tickets-key" }
    }
    tiers = {
      admin  = { role = "Mcp.Admin" }
      reader = { role = "Mcp.Read", tools = { allow = ["search", "read_*"] } }
    }
  }
  profile = {
    remote     = { url = "https://profile.example.com/mcp" }
    identity   = "caller"
    downstream = { scope = "https://graph.microsoft.com/User.Read" }
    tiers      = { admin = { role = "Mcp.Admin" } }
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

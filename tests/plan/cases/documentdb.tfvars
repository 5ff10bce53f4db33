# On prod: a database without keys in the place of the one with them.

name                = "mcp-docdb"
acr_name            = "acrmcpdocdb"
key_vault_name      = "keyvault-mcp-docdb"
cosmos_account_name = null
cosmos              = {}

documentdb = {
  name              = "docdb-mcp-docdb"
  compute_tier      = "M40"
  storage_gb        = 128
  high_availability = true
}

mcp_servers = {
  mongodb = {
    image    = { repository = "mongodb-mcp", tag = "0.2.0" }
    database = "documentdb"
    tiers = {
      admin  = { role = "Mcp.Admin", connection = "read-write" }
      reader = { role = "Mcp.Read", connection = "read-only" }
    }
  }
}

# On prod: a second server, so that a tier can come and go, and something that the servers call.

network = {
  nat_gateway_zone = "1"
  containers_egress = {
    search = { priority = 200, description = "Search.", destination = "203.0.113.0/24" }
  }
}

mcp_servers = {
  mongodb = {
    image    = { repository = "mongodb-mcp", tag = "0.1.0" }
    port     = 8000
    cpu      = 1
    memory   = 2
    database = "cosmosdb-mongodb"
    tiers = {
      admin  = { role = "Mcp.Admin", connection = "read-write" }
      reader = { role = "Mcp.Read", connection = "read-only" }
    }
    slots = ["a", "b"]
  }
  notes = {
    image = { repository = "notes-mcp", tag = "1.0.0" }
    tiers = { reader = { role = "Mcp.Read" } }
  }
}

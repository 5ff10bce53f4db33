# Which databases an environment has, for both stages: those that a server uses, and those whose `enabled` says so.
locals {
  _used_databases = distinct([for server in var.mcp_servers : server.database if server.database != null])

  has_cosmos     = coalesce(var.cosmos.enabled, contains(local._used_databases, "cosmosdb-mongodb"))
  has_documentdb = coalesce(var.documentdb.enabled, contains(local._used_databases, "documentdb"))
}

# What this deployment has in Azure, whatever its values said when it was made.
data "azurerm_resources" "databases" {
  for_each = {
    cosmos     = "Microsoft.DocumentDB/databaseAccounts"
    documentdb = "Microsoft.DocumentDB/mongoClusters"
  }

  resource_group_name = var.resource_group_name
  type                = each.value
  required_tags       = { deployment = var.name }
}

locals {
  _databases_there = { for kind, found in data.azurerm_resources.databases : kind => [for database in found.resources : database.name] }

  # What was chosen for an account binds while there is one, and from its first deployment on: an environment may have got
  # its first account later than itself.
  _account_binds = local.has_cosmos && length(local._databases_there.cosmos) > 0 && terraform_data.as_made.output.throughput_mode != null
}

# `database` of a server is one word; what the word before it stands for would go with every document.
resource "terraform_data" "databases_kept" {
  lifecycle {
    precondition {
      condition     = local.has_cosmos || var.cosmos.enabled == false || length(local._databases_there.cosmos) == 0
      error_message = "The Cosmos DB account ${join(", ", local._databases_there.cosmos)} would be deleted with every document, because no server in mcp_servers uses it any more: set cosmos.enabled = true to keep it while its documents are copied, then cosmos.enabled = false to let it go."
    }

    precondition {
      condition     = local.has_documentdb || var.documentdb.enabled == false || length(local._databases_there.documentdb) == 0
      error_message = "The DocumentDB cluster ${join(", ", local._databases_there.documentdb)} would be deleted with every document, because no server in mcp_servers uses it any more: set documentdb.enabled = true to keep it while its documents are copied, then documentdb.enabled = false to let it go."
    }

    precondition {
      condition     = !local.has_documentdb || alltrue([for name in local._databases_there.documentdb : name == var.documentdb.name])
      error_message = "documentdb.name cannot change: the cluster ${join(", ", local._databases_there.documentdb)} would be replaced, with every document. Make a second environment, copy the documents, then `invoke destroy` this one."
    }
  }
}

locals {
  _collections = merge([
    for database, settings in var.databases : {
      for name, collection in settings.collections : "${database}/${name}" => merge(collection, { database = database, name = name })
    }
  ]...)
}

resource "azurerm_cosmosdb_mongo_database" "this" {
  for_each = var.databases

  name                = each.key
  resource_group_name = var.resource_group_name
  account_name        = azurerm_cosmosdb_account.this.name
  throughput          = var.throughput_mode == "fixed" ? each.value.throughput : null

  dynamic "autoscale_settings" {
    for_each = var.throughput_mode == "autoscale" && each.value.throughput != null ? [each.value.throughput] : []
    content {
      max_throughput = autoscale_settings.value
    }
  }

  lifecycle {
    # A replaced account is empty, under the same name.
    replace_triggered_by = [azurerm_cosmosdb_account.this.id]

    precondition {
      condition     = terraform_data.database_as_made[each.key].output.throughput == (each.value.throughput != null)
      error_message = "Database ${each.key} cannot be given throughput later, nor lose it: it is decided when the database is made. Make another database, or give the collections their own."
    }
  }
}

resource "azurerm_cosmosdb_mongo_collection" "this" {
  for_each = local._collections

  name                = each.value.name
  resource_group_name = var.resource_group_name
  account_name        = azurerm_cosmosdb_account.this.name
  database_name       = azurerm_cosmosdb_mongo_database.this[each.value.database].name
  shard_key           = each.value.shard_key
  default_ttl_seconds = each.value.default_ttl_seconds
  throughput          = var.throughput_mode == "fixed" ? each.value.throughput : null

  dynamic "autoscale_settings" {
    for_each = var.throughput_mode == "autoscale" && each.value.throughput != null ? [each.value.throughput] : []
    content {
      max_throughput = autoscale_settings.value
    }
  }

  # Azure refuses a collection without this one, and the provider notices only at apply.
  index {
    keys   = ["_id"]
    unique = true
  }

  dynamic "index" {
    for_each = each.value.indexes
    content {
      keys   = index.value.keys
      unique = index.value.unique
    }
  }

  lifecycle {
    replace_triggered_by = [azurerm_cosmosdb_account.this.id]

    precondition {
      # Collections of version 0.2.0 did not write theirs down.
      condition     = try(terraform_data.collection_as_made[each.key].output.shard_key, each.value.shard_key) == each.value.shard_key
      error_message = "Collection ${each.key} cannot have another shard key: it would be replaced, with every document. Make another collection with the key, copy what this one holds, then remove this one."
    }

    precondition {
      condition     = terraform_data.collection_as_made[each.key].output.throughput == (each.value.throughput != null)
      error_message = "Collection ${each.key} cannot be given a throughput of its own later, nor lose it: it is decided when the collection is made. Make another collection and copy what it holds."
    }

    precondition {
      condition     = var.backup.type != "Continuous" || length(setsubtract(local._unique_indexes[each.key], terraform_data.collection_as_made[each.key].output.unique_indexes)) == 0
      error_message = "Collection ${each.key} exists, and with continuous backup Cosmos DB makes unique indexes only together with their collection. Make another collection with the index and copy what this one holds."
    }
  }
}

locals {
  _unique_indexes = { for key, collection in local._collections : key => [for index in collection.indexes : join(",", index.keys) if index.unique] }
}

# What was decided when a database or a collection was made, for what cannot be decided anew. To forget it, and have Azure
# decide: `terraform apply -replace` of the one that is named.
resource "terraform_data" "database_as_made" {
  for_each = var.databases

  triggers_replace = [each.key]
  input            = { throughput = each.value.throughput != null }

  lifecycle {
    ignore_changes = [input]
  }
}

resource "terraform_data" "collection_as_made" {
  for_each = local._collections

  triggers_replace = [each.key]

  input = {
    shard_key      = each.value.shard_key
    throughput     = each.value.throughput != null
    unique_indexes = local._unique_indexes[each.key]
  }

  lifecycle {
    ignore_changes = [input]
  }
}

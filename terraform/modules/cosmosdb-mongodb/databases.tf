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
}

variable "databases" {
  description = <<-EOT
    Databases by name, with their collections by name. `throughput` is in request units a second: the fixed amount, or the
    most that autoscale may reach. On a database it is shared by those of its collections that have none of their own,
    and these need a shard_key. A change of shard_key replaces the collection. The index on `_id` is always there.
  EOT
  type = map(object({
    throughput = optional(number)
    collections = optional(map(object({
      shard_key           = optional(string)
      throughput          = optional(number)
      default_ttl_seconds = optional(number)
      indexes = optional(map(object({
        keys   = list(string)
        unique = optional(bool, false)
      })), {})
    })), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.databases) : can(regex("^[A-Za-z0-9_-]{1,63}$", name))])
    error_message = "A database name must be 1-63 letters, digits, underscores and hyphens."
  }

  validation {
    condition     = length(distinct([for name in keys(var.databases) : lower(name)])) == length(var.databases)
    error_message = "Two database names must differ in more than capitals: MongoDB refuses the second."
  }

  validation {
    condition = alltrue(flatten([
      for database in var.databases : [
        for name in keys(database.collections) : can(regex("^[A-Za-z_][A-Za-z0-9_.-]{0,119}$", name)) && !startswith(name, "system.")
      ]
    ]))
    error_message = "A collection name must be 1-120 letters, digits, underscores, dots and hyphens, start with a letter or underscore, and not with system."
  }

  # --- throughput

  validation {
    condition = var.throughput_mode != "serverless" || alltrue(flatten([
      for database in var.databases : concat(
        [database.throughput == null], [for collection in database.collections : collection.throughput == null]
      )
    ]))
    error_message = "A serverless account has no throughput settings; remove throughput from the databases and collections."
  }

  validation {
    condition = var.throughput_mode != "fixed" || alltrue([
      for amount in flatten([
        for database in var.databases : concat(
          [coalesce(database.throughput, 400)], [for collection in database.collections : coalesce(collection.throughput, 400)]
        )
      ]) : amount >= 400 && amount % 100 == 0
    ])
    error_message = "Fixed throughput must be at least 400 request units, in steps of 100."
  }

  validation {
    condition = var.throughput_mode != "autoscale" || alltrue([
      for amount in flatten([
        for database in var.databases : concat(
          [coalesce(database.throughput, 1000)], [for collection in database.collections : coalesce(collection.throughput, 1000)]
        )
      ]) : amount >= 1000 && amount % 1000 == 0
    ])
    error_message = "Autoscale throughput must be at least 1000 request units, in steps of 1000."
  }

  validation {
    # Without either, Azure takes fixed 400, whatever the mode: an amount that nobody has chosen.
    condition = var.throughput_mode == "serverless" || alltrue(flatten([
      for database in var.databases : [
        for collection in database.collections : database.throughput != null || collection.throughput != null
      ]
    ]))
    error_message = "Without serverless each collection needs a throughput: its own, or its database's to share."
  }

  validation {
    condition = alltrue([
      for database in var.databases :
      database.throughput == null || length([for collection in database.collections : 1 if collection.throughput == null]) <= 25
    ])
    error_message = "At most 25 collections can share their database's throughput; give the others one of their own."
  }

  validation {
    condition = alltrue(flatten([
      for database in var.databases : [
        for collection in database.collections : collection.shard_key != null || coalesce(collection.throughput, 400) <= 10000
      ]
    ]))
    error_message = "A collection without shard_key is one partition, which has at most 10000 request units."
  }

  validation {
    # "Introduction to provisioned throughput": a database's throughput is divided by partition keys.
    condition = alltrue(flatten([
      for database in var.databases : [
        for collection in database.collections : database.throughput == null || collection.throughput != null || collection.shard_key != null
      ]
    ]))
    error_message = "A collection that shares its database's throughput needs a shard_key, or a throughput of its own."
  }

  # --- keys and indexes

  validation {
    condition = alltrue(flatten([
      for database in var.databases : [
        for collection in database.collections : can(regex("^[^$./\\s][^$/\\s]*$", coalesce(collection.shard_key, "none")))
      ]
    ]))
    error_message = "A collection's shard_key must be the name of one field, without $ and spaces."
  }

  validation {
    condition = alltrue(flatten([
      for database in var.databases : [
        for collection in database.collections :
        collection.default_ttl_seconds == null ? true : collection.default_ttl_seconds == -1 || (collection.default_ttl_seconds >= 1 && collection.default_ttl_seconds <= 2147483647)
      ]
    ]))
    error_message = "default_ttl_seconds must be -1 (never, unless the document says so) or from 1 to 2147483647."
  }

  validation {
    condition = alltrue(flatten([
      for database in var.databases : [
        for collection in database.collections : [
          for index in collection.indexes : length(index.keys) >= 1 && length(index.keys) <= 8 && length(index.keys) == length(distinct(index.keys))
        ]
      ]
    ]))
    error_message = "An index must have from 1 to 8 keys, each once."
  }

  validation {
    condition = alltrue(flatten([
      for database in var.databases : [
        for collection in database.collections :
        length(collection.indexes) == length(distinct([for index in collection.indexes : join(",", index.keys)]))
      ]
    ]))
    error_message = "Two indexes of one collection must not have the same keys."
  }

  validation {
    condition = alltrue(flatten([
      for database in var.databases : [
        for collection in database.collections : [for index in collection.indexes : index.keys != tolist(["_id"])]
      ]
    ]))
    error_message = "The index on _id is always there; remove it from indexes."
  }

  validation {
    condition = alltrue(flatten([
      for database in var.databases : [
        for collection in database.collections : [
          for index in collection.indexes : collection.default_ttl_seconds == null || index.keys != tolist(["_ts"])
        ]
      ]
    ]))
    error_message = "default_ttl_seconds makes the index on _ts; remove it from indexes."
  }

  validation {
    condition = alltrue(flatten([
      for database in var.databases : [
        for collection in database.collections : [
          for index in collection.indexes : !anytrue([for key in index.keys : strcontains(key, "$**")]) || (length(index.keys) == 1 && !index.unique)
        ]
      ]
    ]))
    error_message = "A wildcard index ($**) can neither be unique nor have other keys beside it."
  }

  validation {
    # Uniqueness is enforced within a shard, so the index has to say which one.
    condition = alltrue(flatten([
      for database in var.databases : [
        for collection in database.collections : [
          for index in collection.indexes : !index.unique || collection.shard_key == null || contains(index.keys, coalesce(collection.shard_key, "none"))
        ]
      ]
    ]))
    error_message = "A unique index of a sharded collection must have the shard_key among its keys."
  }
}

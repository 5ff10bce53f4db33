module "pass_own" {
  source   = "./servers"
  for_each = { admin = { connection = "read-write" }, reader = { connection = "read-only" } }

  secure_environment_variables = {
    MONGODB_URI = module.database.connection_strings["${each.value.connection}-primary"]
  }
}

module "fail_named" {
  source   = "./servers"
  for_each = { admin = { connection = "read-write" }, reader = { connection = "read-only" } }

  secure_environment_variables = {
    MONGODB_URI = module.database.connection_strings["read-write-primary"]
  }
}

module "fail_same_for_all" {
  source   = "./servers"
  for_each = { admin = { connection = "read-write" }, reader = { connection = "read-only" } }

  secure_environment_variables = {
    MONGODB_URI = module.database.connection_strings["read-write-${var.active_key}"]
  }
}

module "pass_none" {
  source = "./servers"
}

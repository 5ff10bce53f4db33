resource "azurerm_api_management_named_value" "pass_plain" {
  name                = "pass-plain"
  display_name        = "pass-plain"
  resource_group_name = "rg"
  api_management_name = "apim"
  value               = "uksouth"
}

resource "azurerm_api_management_named_value" "pass_vault" {
  name                = "pass-vault"
  display_name        = "pass-vault"
  resource_group_name = "rg"
  api_management_name = "apim"
  secret              = true

  value_from_key_vault {
    secret_id = "https://kv.vault.azure.net/secrets/name"
  }
}

resource "azurerm_api_management_named_value" "fail_plain" {
  name                = "fail-plain"
  display_name        = "fail-plain"
  resource_group_name = "rg"
  api_management_name = "apim"
  secret              = true
  value               = "s3cret"
}

resource "azurerm_api_management_named_value" "fail_version" {
  name                = "fail-version"
  display_name        = "fail-version"
  resource_group_name = "rg"
  api_management_name = "apim"
  secret              = true

  value_from_key_vault {
    secret_id = "https://kv.vault.azure.net/secrets/name/00000000000000000000000000000000"
  }
}

resource "azurerm_api_management_named_value" "fail_secret_in_plain_sight" {
  api_management_name = "apim"
  display_name        = "database"
  name                = "database"
  resource_group_name = "rg"
  value               = "mongodb://account:key@account.mongo.cosmos.azure.com:10255/"
}

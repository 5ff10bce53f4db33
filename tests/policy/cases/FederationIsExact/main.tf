resource "azurerm_federated_identity_credential" "pass_azure_devops" {
  name                      = "pipeline"
  user_assigned_identity_id = "id-pipeline"
  audience                  = ["api://AzureADTokenExchange"]
  issuer                    = "https://vstoken.dev.azure.com/11111111-2222-4333-8444-555555555555"
  subject                   = "sc://org/project/connection"
}

resource "azurerm_federated_identity_credential" "pass_entra_issuer" {
  name                      = "pipeline"
  user_assigned_identity_id = "id-pipeline"
  audience                  = ["api://AzureADTokenExchange"]
  issuer                    = "https://login.microsoftonline.com/11111111-2222-4333-8444-555555555555/v2.0"
  subject                   = "/eid1/c/pub/t/x/a/y/sc/org/connection"
}

resource "azurerm_federated_identity_credential" "pass_github" {
  name                      = "pipeline"
  user_assigned_identity_id = "id-pipeline"
  audience                  = ["api://AzureADTokenExchange"]
  issuer                    = "https://token.actions.githubusercontent.com"
  subject                   = "repo:org/repo:environment:prod"
}

resource "azuread_application_federated_identity_credential" "pass_app" {
  display_name   = "pipeline"
  application_id = "id-pipeline"
  audiences      = ["api://AzureADTokenExchange"]
  issuer         = "https://vstoken.dev.azure.com/11111111-2222-4333-8444-555555555555"
  subject        = "sc://org/project/connection"
}

resource "azurerm_federated_identity_credential" "fail_audience" {
  name                      = "pipeline"
  user_assigned_identity_id = "id-pipeline"
  audience                  = ["api://anything"]
  issuer                    = "https://vstoken.dev.azure.com/11111111-2222-4333-8444-555555555555"
  subject                   = "sc://org/project/connection"
}

resource "azurerm_federated_identity_credential" "fail_wildcard" {
  name                      = "pipeline"
  user_assigned_identity_id = "id-pipeline"
  audience                  = ["api://AzureADTokenExchange"]
  issuer                    = "https://token.actions.githubusercontent.com"
  subject                   = "repo:org/*:environment:prod"
}

resource "azurerm_federated_identity_credential" "fail_pull_request" {
  name                      = "pipeline"
  user_assigned_identity_id = "id-pipeline"
  audience                  = ["api://AzureADTokenExchange"]
  issuer                    = "https://token.actions.githubusercontent.com"
  subject                   = "repo:org/repo:pull_request"
}

resource "azurerm_federated_identity_credential" "fail_issuer" {
  name                      = "pipeline"
  user_assigned_identity_id = "id-pipeline"
  audience                  = ["api://AzureADTokenExchange"]
  issuer                    = "https://issuer.example"
  subject                   = "sc://org/project/connection"
}

resource "azuread_application_federated_identity_credential" "fail_app_wildcard" {
  display_name   = "pipeline"
  application_id = "id-pipeline"
  audiences      = ["api://AzureADTokenExchange"]
  issuer         = "https://vstoken.dev.azure.com/11111111-2222-4333-8444-555555555555"
  subject        = "sc://org/*/connection"
}

resource "azuread_application_flexible_federated_identity_credential" "fail_expression" {
  application_id             = "app"
  display_name               = "pipeline"
  audience                   = "api://AzureADTokenExchange"
  issuer                     = "https://token.actions.githubusercontent.com"
  claims_matching_expression = "claims['sub'] matches 'repo:org/*'"
}

resource "azuread_application" "pass_default" {
  display_name = "default"
}

resource "azuread_application" "pass_said" {
  display_name     = "said"
  sign_in_audience = "AzureADMyOrg"
}

resource "azuread_application" "fail_multi" {
  display_name     = "multi"
  sign_in_audience = "AzureADMultipleOrgs"
}

resource "azuread_application" "fail_personal" {
  display_name     = "personal"
  sign_in_audience = "AzureADandPersonalMicrosoftAccount"
}

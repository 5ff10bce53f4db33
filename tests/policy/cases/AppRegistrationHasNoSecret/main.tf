resource "azuread_application" "pass_plain" {
  display_name = "pass_plain"

  api {
    requested_access_token_version = 2
  }

}

resource "azuread_application" "fail_v1" {
  display_name = "fail_v1"

  api {
    requested_access_token_version = 1
  }

}

resource "azuread_application" "fail_implicit" {
  display_name = "fail_implicit"

  api {
    requested_access_token_version = 2
  }

  web {
    implicit_grant {
      access_token_issuance_enabled = true
    }
  }
}

resource "azuread_application" "fail_password" {
  display_name = "fail_password"

  api {
    requested_access_token_version = 2
  }

  password {
    display_name = "secret"
  }
}

resource "azuread_application_password" "fail_secret" {
  application_id = "/applications/1"
}

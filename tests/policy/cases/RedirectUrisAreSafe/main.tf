resource "azuread_application" "pass_clients" {
  display_name = "pass_clients"

  api {
    requested_access_token_version = 2
  }

  public_client {
    redirect_uris = ["https://vscode.dev/redirect", "http://127.0.0.1:33418/", "http://localhost/callback", "cursor://anysphere.cursor-mcp/oauth/callback"]
  }
}

resource "azuread_application" "pass_none" {
  display_name = "pass_none"

  api {
    requested_access_token_version = 2
  }

}

resource "azuread_application" "fail_http" {
  display_name = "fail_http"

  api {
    requested_access_token_version = 2
  }

  public_client {
    redirect_uris = ["http://example.com/callback"]
  }
}

resource "azuread_application" "fail_wildcard" {
  display_name = "fail_wildcard"

  api {
    requested_access_token_version = 2
  }

  public_client {
    redirect_uris = ["https://*.example.com/callback"]
  }
}

resource "azuread_application" "fail_scheme" {
  display_name = "fail_scheme"

  api {
    requested_access_token_version = 2
  }

  public_client {
    redirect_uris = ["javascript://x/callback"]
  }
}

resource "azuread_application" "fail_lookalike" {
  display_name = "fail_lookalike"

  api {
    requested_access_token_version = 2
  }

  public_client {
    redirect_uris = ["http://localhost.example.com/callback"]
  }
}

resource "azuread_application" "pass_own_scheme" {
  display_name = "pass_own_scheme"

  api {
    requested_access_token_version = 2
  }

  public_client {
    redirect_uris = ["claude://claude.ai/mcp-auth-callback/sdk", "com.example.client:/oauth"]
  }
}

resource "azuread_application" "fail_file" {
  display_name = "fail_file"

  api {
    requested_access_token_version = 2
  }

  public_client {
    redirect_uris = ["file:/etc/passwd"]
  }
}

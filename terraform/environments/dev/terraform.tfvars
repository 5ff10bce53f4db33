# The cheap environment: Developer tier, serverless database, basic registry. Replace the values marked with <-.

subscription_id     = "00000000-0000-0000-0000-000000000000" # <- az account show --query id
resource_group_name = "rg-mcp-pipeline"
location            = "uksouth"
environment         = "dev"
name                = "mcp-pod-dev"          # <- the gateway becomes apim-<name>, unique in Azure
acr_name            = "acrmcppoddev"         # <- unique in Azure
key_vault_name      = "keyvault-mcp-pod-dev" # <- unique in Azure
cosmos_account_name = "cosmos-mcp-pod-dev"   # <- unique in Azure
tags                = { owner = "platform-team" }

# Key Vault answers these addresses; a basic registry has no firewall, and asks for a sign-in only.
deployer_access   = "allow-list"
deployer_ip_rules = ["203.0.113.7"] # <- the address that Terraform runs from

# Microsoft documents pulls by identity into a network for Premium only; people report that Basic serves them. `invoke verify` looks.
registry  = { sku = "Basic" }
key_vault = { soft_delete_retention_days = 7 }

apim = {
  sku_name        = "Developer_1"
  publisher_name  = "Platform team"
  publisher_email = "platform@example.com" # <- hears of outages and renewals
}

# Push the image with the tag that stands here: acrmcppoddev.azurecr.io/mongodb-mcp:0.2.0
mcp_servers = {
  mongodb = {
    image    = { repository = "mongodb-mcp", tag = "0.2.0" }
    port     = 8000
    database = "cosmosdb-mongodb"
    listing = {
      title       = "MongoDB"
      description = "Reads and, with the right role, writes the platform's MongoDB databases"
    }
    tiers = {
      admin  = { role = "Mcp.Admin", connection = "read-write" }
      reader = { role = "Mcp.Read", connection = "read-only" }
    }
  }
}

# Clients find the servers at <gateway>/v0.1/servers. GitHub Copilot can read it only where it is public (docs/registry.md).
mcp_registry = { access = "public" }

# Each entry is one application in Entra ID. Loopback addresses count for localhost and 127.0.0.1, and for any port.
mcp_clients = {
  # VS Code, Claude Code, MCP Inspector, Codex, Gemini CLI, Copilot CLI, mcp-remote, goose, opencode, Zed, SDKs.
  desktop = {
    display_name = "MCP desktop clients and SDKs"
    redirect_uris = [
      "http://localhost/",
      "http://localhost/callback",
      "http://localhost/callback/{endpoint-id}", # Codex
      "http://localhost/mcp/oauth/callback",     # opencode
      "http://localhost/oauth/callback",
      "http://localhost/oauth/callback/debug", # MCP Inspector before 2
      "http://localhost/oauth_callback",       # goose
      "https://insiders.vscode.dev/redirect",
      "https://vscode.dev/redirect",
    ]
    metadata_documents = [
      "https://api.factory.ai/mcp/oauth-client",
      "https://chatgpt.com/oauth/codex/client.json",
      "https://chatgpt.com/oauth/codex/{endpoint-id}/client.json",
      "https://claude.ai/oauth/claude-code-client-metadata",
      "https://github.com/copilot/cli/client-metadata.json",
      "https://goose-docs.ai/oauth/client-metadata.json",
      "https://insiders.vscode.dev/oauth/client-metadata.json",
      "https://opencode.ai/oauth/opencode/client.json",
      "https://vscode.dev/oauth/client-metadata.json",
      "https://zed.dev/oauth/client-metadata.json",
    ]
  }
  claude = {
    display_name = "Claude"
    redirect_uris = [
      "claude://claude.ai/mcp-auth-callback/sdk",
      "https://claude.ai/api/mcp/auth_callback",
      "https://claude.com/api/mcp/auth_callback",
    ]
    metadata_documents = ["https://claude.ai/oauth/mcp-oauth-client-metadata"]
  }
  chatgpt = {
    display_name = "ChatGPT"
    # A connector has an address of its own, which ChatGPT shows: https://chatgpt.com/connector/oauth/…; add it here.
    redirect_uris  = ["https://chatgpt.com/connector_platform_oauth_redirect"]
    metadata_hosts = ["chatgpt.com"]
  }
  antigravity = {
    display_name  = "Google Antigravity"
    redirect_uris = ["https://antigravity.google/oauth-callback"]
  }
  cursor = {
    display_name = "Cursor"
    kind         = "desktop"
    redirect_uris = [
      "cursor://anysphere.cursor-mcp/oauth/callback",
      "http://localhost:8787/callback",
      "https://www.cursor.com/agents/mcp/oauth/callback",
    ]
  }
}

pre_authorized_client_ids = {
  azure-cli          = "04b07795-8ddb-461a-bbee-02f9e1bf7b46" # tests sign in with it
  visual-studio-code = "aebc6443-996d-45c2-90f0-388ff96faa56"
}

# Object ids of people; a group inside a group does not count. Owners may change the members.
groups = {
  admin  = { display_name = "MCP dev administrators", members = [], owners = [] } # <-
  reader = { display_name = "MCP dev readers", members = [], owners = [] }        # <-
}

cosmos = {
  throughput_mode = "serverless"
  keys_expire_on  = "2027-06-30T00:00:00Z"

  # The servers' keys cannot create databases or collections: what there is to work with is declared here. <-
  databases = {
    platform = {
      collections = {
        incidents = { indexes = { by-service = { keys = ["service"] } } }
        services  = { indexes = { by-name = { keys = ["name"], unique = true } } }
      }
    }
  }
}

# A loop that logs costs a gigabyte and not a fortune; the alert log-quota says so. Alerts go to the publisher's address.
monitoring = { daily_quota_gb = 1 }

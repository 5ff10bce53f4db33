# Production: Premium gateway over three zones, private deployer, autoscale database, locked. Replace the values marked with <-.

subscription_id     = "00000000-0000-0000-0000-000000000000" # <-
resource_group_name = "rg-mcp-prod"
location            = "uksouth"
environment         = "prod"
name                = "mcp-pod-prod"          # <- the gateway becomes apim-<name>, unique in Azure
acr_name            = "acrmcppodprod"         # <- unique in Azure
key_vault_name      = "keyvault-mcp-pod-prod" # <- unique in Azure
cosmos_account_name = "cosmos-mcp-pod-prod"   # <- unique in Azure
tags                = { owner = "platform-team" }

# Vault and registry have private endpoints only: Terraform runs on an agent inside the network.
deployer_access = "private"

registry = { sku = "Premium", zone_redundancy_enabled = true }

apim = {
  sku_name        = "Premium_3"
  zones           = ["1", "2", "3"]
  publisher_name  = "Platform team"
  publisher_email = "platform@example.com" # <- hears of outages and renewals
}

network = { nat_gateway_zone = "1" }

# For servers with compute = "container-apps", where there are some: replicas in all zones.
container_apps = { zone_redundant = true }

# No plan may delete or replace what holds data; the way out is in terraform/README.md. The registry has no lock: one would
# also keep the role assignments of a tier from going with it.
data_protection = {
  prevent_destroy = true
  locks           = ["database", "key_vault"]
}

mcp_servers = {
  mongodb = {
    image    = { repository = "mongodb-mcp", tag = "0.2.0" }
    port     = 8000
    cpu      = 1
    memory   = 2
    slots    = ["a", "b"] # one answers while the other is replaced
    database = "cosmosdb-mongodb"
    tiers = {
      admin  = { role = "Mcp.Admin", connection = "read-write" }
      reader = { role = "Mcp.Read", connection = "read-only" }
    }
  }
}

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
  visual-studio-code = "aebc6443-996d-45c2-90f0-388ff96faa56"
}

# Object ids of people; a group inside a group does not count. Owners may change the members.
groups = {
  admin  = { display_name = "MCP administrators", members = [], owners = [] } # <-
  reader = { display_name = "MCP readers", members = [], owners = [] }        # <-
}

cosmos = {
  throughput_mode = "autoscale"
  zone_redundant  = true
  keys_expire_on  = "2027-06-30T00:00:00Z"
  backup          = { tier = "Continuous30Days" }

  # The servers' keys cannot create databases or collections: what there is to work with is declared here. <-
  # Who shares a database's throughput needs a shard_key, and unique indexes hold it.
  databases = {
    platform = {
      throughput = 1000
      collections = {
        incidents = { shard_key = "service", indexes = { by-service = { keys = ["service"] } } }
        services  = { shard_key = "name", indexes = { by-name = { keys = ["name"], unique = true } } }
      }
    }
  }
}

monitoring = {
  retention_in_days = 90
  alerts            = { emails = ["platform-on-call@example.com"] } # <- without one: the publisher's
}

locals {
  # Ids of roles and scopes are ours to choose and must never change: assignments and consents refer to them.
  _app_role_ids = { for value in keys(var.app_roles) : value => uuidv5("url", "${var.display_name}/app-role/${value}") }
  _scope_ids    = { for value in keys(var.scopes) : value => uuidv5("url", "${var.display_name}/scope/${value}") }
}

resource "azuread_application" "this" {
  display_name                   = var.display_name
  description                    = var.description
  owners                         = var.owners
  sign_in_audience               = "AzureADMyOrg"
  fallback_public_client_enabled = length(var.redirect_uris) > 0
  group_membership_claims        = var.group_claims ? ["SecurityGroup"] : null
  prevent_duplicate_names        = true

  api {
    requested_access_token_version = 2

    dynamic "oauth2_permission_scope" {
      for_each = var.scopes

      content {
        id                         = local._scope_ids[oauth2_permission_scope.key]
        value                      = oauth2_permission_scope.key
        type                       = "User"
        admin_consent_display_name = oauth2_permission_scope.value.display_name
        admin_consent_description  = oauth2_permission_scope.value.description
        user_consent_display_name  = oauth2_permission_scope.value.display_name
        user_consent_description   = oauth2_permission_scope.value.description
      }
    }
  }

  dynamic "app_role" {
    for_each = var.app_roles

    content {
      id                   = local._app_role_ids[app_role.key]
      value                = app_role.key
      display_name         = app_role.value.display_name
      description          = app_role.value.description
      allowed_member_types = app_role.value.allowed_member_types
    }
  }

  # `idtyp` tells an app-only token from a delegated one that lacks its scope.
  dynamic "optional_claims" {
    for_each = length(var.scopes) > 0 ? [1] : []

    content {
      access_token {
        name = "idtyp"
      }
    }
  }

  dynamic "public_client" {
    for_each = length(var.redirect_uris) > 0 ? [1] : []

    content {
      redirect_uris = var.redirect_uris
    }
  }

  dynamic "single_page_application" {
    for_each = length(var.single_page_redirect_uris) > 0 ? [1] : []

    content {
      redirect_uris = var.single_page_redirect_uris
    }
  }

  dynamic "required_resource_access" {
    for_each = var.required_scopes

    content {
      resource_app_id = required_resource_access.value.client_id

      dynamic "resource_access" {
        for_each = required_resource_access.value.scope_ids

        content {
          id   = resource_access.value
          type = "Scope"
        }
      }
    }
  }

  lifecycle {
    # Set by azuread_application_identifier_uri below: the URI holds this application's own id.
    ignore_changes = [identifier_uris]
  }
}

# `api://{appId}` is the one identifier that every tenant policy allows.
resource "azuread_application_identifier_uri" "this" {
  for_each = length(var.scopes) > 0 || length(var.app_roles) > 0 ? { this = {} } : {}

  application_id = azuread_application.this.id
  identifier_uri = "api://${azuread_application.this.client_id}"
}

resource "azuread_service_principal" "this" {
  client_id                    = azuread_application.this.client_id
  owners                       = var.owners
  app_role_assignment_required = var.assignment_required
}

resource "azuread_application_pre_authorized" "this" {
  for_each = var.pre_authorized_client_ids

  application_id       = azuread_application.this.id
  authorized_client_id = each.value
  permission_ids       = values(local._scope_ids)
}

resource "azuread_service_principal_delegated_permission_grant" "this" {
  for_each = var.granted_scopes

  service_principal_object_id          = azuread_service_principal.this.object_id
  resource_service_principal_object_id = each.value.service_principal_object_id
  claim_values                         = each.value.scopes
}

# In place of a secret: "Configure an application to trust a managed identity", 2026.
resource "azuread_application_federated_identity_credential" "this" {
  #checkov:skip=CKV_AZURE_249: it judges what GitHub may sign in; this one trusts a managed identity, by the issuer of its tenant and its object id
  for_each = var.federated_credentials

  application_id = azuread_application.this.id
  display_name   = each.key
  description    = each.value.description
  issuer         = each.value.issuer
  subject        = each.value.subject
  audiences      = ["api://AzureADTokenExchange"]
}

# Keys are chosen by the caller, so that an assignment of something not yet created can still be planned.
resource "azuread_app_role_assignment" "this" {
  for_each = var.role_assignments

  app_role_id         = local._app_role_ids[each.value.role]
  principal_object_id = each.value.principal_object_id
  resource_object_id  = azuread_service_principal.this.object_id
}

locals {
  # Validated in variables-gateway.tf: a vault that is not the platform's is given by its id.
  _certificates = {
    for domain in var.apim.custom_domain[*] : "this" => {
      vault_id = coalesce(domain.key_vault_id, data.azurerm_key_vault.stage1.id)
      name     = split("/", domain.key_vault_certificate_id)[4]
    }
  }
}

# The certificate's secret alone: the vault also holds the connection strings, which the gateway has no use for.
module "gateway_domain_role" {
  source = "../modules/rbac"

  role_assignments = {
    for certificate in local._certificates : "gateway-certificate" => {
      scope          = "${certificate.vault_id}/secrets/${certificate.name}"
      role           = "Key Vault Secrets User"
      principal_id   = module.apim.system_identity_principal_id
      principal_type = "ServicePrincipal"
      description    = "The gateway reads the certificate of its domain, and its renewals."
    }
  }
}

# A resource of its own, because the service has to exist before its identity can be given the role that this needs.
resource "azurerm_api_management_custom_domain" "this" {
  for_each = local._certificates

  api_management_id = module.apim.service_id

  gateway {
    host_name                = var.apim.custom_domain.host_name
    key_vault_certificate_id = var.apim.custom_domain.key_vault_certificate_id
    default_ssl_binding      = true
  }

  # Azure takes minutes to honour a role: where the first apply is too early, the next one is not.
  depends_on = [module.gateway_domain_role]
}

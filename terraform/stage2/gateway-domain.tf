locals {
  # Validated in variables-gateway.tf: a vault that is not the platform's is given by its id.
  _certificates = {
    for domain in var.apim.custom_domain[*] : "this" => {
      vault_id = coalesce(domain.key_vault_id, data.azurerm_key_vault.stage1.id)
      name     = split("/", domain.key_vault_certificate_id)[4]
    }
  }
}

# What the gateway answers to now, and with which certificates. A new gateway is read when it has been made.
data "azurerm_api_management" "now" {
  name                = split("/", module.apim.service_id)[8]
  resource_group_name = var.resource_group_name

  lifecycle {
    # The role on a certificate goes with its domain, and a lock on the vault keeps the role: domain gone, role left.
    postcondition {
      condition     = !contains(var.data_protection.locks, "key_vault") || length(setsubtract([for proxy in flatten(self.hostname_configuration[*].proxy) : split("/", proxy.key_vault_certificate_id)[4] if startswith(coalesce(proxy.key_vault_certificate_id, "-"), data.azurerm_key_vault.stage1.vault_uri)], [for certificate in local._certificates : certificate.name])) == 0
      error_message = "apim.custom_domain cannot be taken away, nor get another certificate, while data_protection.locks holds key_vault: the lock keeps the gateway's role on the old certificate. Take key_vault out of the locks for this deployment (stage 1 comes first), and put it back with the next one."
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

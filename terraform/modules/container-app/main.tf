locals {
  # By its name here, which is that in the vault, whose names know no case.
  _secrets = { for id in concat(values(var.secrets), var.secrets_held) : lower(split("/", id)[4]) => id... }
}

resource "azurerm_container_app" "this" {
  name                         = var.name
  resource_group_name          = var.resource_group_name
  container_app_environment_id = var.environment.id
  workload_profile_name        = "Consumption"
  tags                         = var.tags

  # A new revision beside the one that has the calls, so that they can be moved, and moved back.
  revision_mode          = "Multiple"
  max_inactive_revisions = var.inactive_revisions

  identity {
    type         = "UserAssigned"
    identity_ids = [var.identity.id]
  }

  registry {
    server   = var.registry_login_server
    identity = var.identity.id
  }

  # References: neither Terraform nor its state sees a value, and Azure follows the vault's newest version.
  dynamic "secret" {
    for_each = local._secrets
    content {
      name                = secret.key
      key_vault_secret_id = secret.value[0]
      identity            = var.identity.id
    }
  }

  ingress {
    # The environment is internal, where this means: for its network. Off, only other apps of the environment could call
    # ("Ingress in Azure Container Apps", external and internal ingress, 2023-05-03).
    external_enabled           = true
    allow_insecure_connections = false
    client_certificate_mode    = "ignore"
    target_port                = var.port
    transport                  = "http"

    dynamic "traffic_weight" {
      for_each = var.traffic == null ? [] : [var.traffic]
      content {
        revision_suffix = traffic_weight.value.revision
        percentage      = traffic_weight.value.weight
      }
    }

    # "Latest" is the newest revision that is ready: one that never becomes so gets no call.
    traffic_weight {
      latest_revision = true
      percentage      = var.traffic == null ? 100 : 100 - var.traffic.weight
    }
  }

  template {
    min_replicas = var.scale.minimum
    max_replicas = var.scale.maximum
    # A replica that is told to end finishes the calls that it works on.
    termination_grace_period_seconds = var.grace_seconds

    http_scale_rule {
      name                = "calls"
      concurrent_requests = tostring(var.scale.concurrent_requests)
    }

    container {
      name   = "server"
      image  = var.image
      cpu    = var.cpu
      memory = "${var.memory}Gi"

      dynamic "env" {
        for_each = var.environment_variables
        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = var.secrets
        content {
          name        = env.key
          secret_name = lower(split("/", env.value)[4])
        }
      }

      # None is there by default in the Consumption profile of a workload profiles environment ("Health probes in Azure
      # Container Apps", 2023-08-29).
      dynamic "startup_probe" {
        for_each = var.health_path == null ? [] : [var.health_path]
        content {
          transport               = "HTTP"
          port                    = var.port
          path                    = startup_probe.value
          interval_seconds        = 1
          timeout                 = 5
          failure_count_threshold = 120
        }
      }

      dynamic "liveness_probe" {
        for_each = var.health_path == null ? [] : [var.health_path]
        content {
          # As with a container group: after half a minute of silence. A server that is merely busy is not restarted.
          transport               = "HTTP"
          port                    = var.port
          path                    = liveness_probe.value
          interval_seconds        = 10
          timeout                 = 5
          failure_count_threshold = 3
        }
      }

      dynamic "readiness_probe" {
        for_each = var.ready_path == null ? [] : [var.ready_path]
        content {
          # Whether the database answers too: a replica that cannot serve gets no calls, and is not restarted for it.
          transport               = "HTTP"
          port                    = var.port
          path                    = readiness_probe.value
          interval_seconds        = 5
          timeout                 = 5
          failure_count_threshold = 3
          success_count_threshold = 1
        }
      }
    }
  }
}

"""Ids that are the same in every tenant, and the people of the local one.

Sources: "Azure built-in roles" and "Microsoft Graph permissions reference" in Microsoft's documentation.
"""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

GRAPH = "00000003-0000-0000-c000-000000000000"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"  # who signs in with `az login`
VS_CODE = "aebc6443-996d-45c2-90f0-388ff96faa56"
MANAGEMENT = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
KEY_VAULT = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"
STORAGE = "e406a681-f3d4-42a8-90b6-c2b029497af1"
REGISTRY = "6a0ec4d3-30cb-4a83-91c0-ae56bc0e3d26"  # the resource that `az acr login` asks a token for
OSS_DATABASES = "123cd850-d9df-40bd-94d5-c9f07b7fa203"  # of Azure DocumentDB, too
DEVOPS = "499b84ac-1321-427f-aa17-267ca6975798"  # the resource of `az rest` on dev.azure.com


def service_principal(client_id: str) -> str:
    """Return the object id of a Microsoft application's service principal, which differs from tenant to tenant."""
    return str(uuid5(NAMESPACE_URL, f"service-principal/{client_id}"))


PEOPLE = {
    "11111111-aaaa-4aaa-8aaa-000000000001": ("admin@twin.example", "Ada Admin"),
    "11111111-aaaa-4aaa-8aaa-000000000002": ("reader@twin.example", "Rae Reader"),
    "11111111-aaaa-4aaa-8aaa-000000000003": ("outsider@twin.example", "Otto Outsider"),
}
"""Who is in the local tenant from the start, by object id: sign-in name and display name. Terraform refers to them."""

ROLES = {
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "User Access Administrator": "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    "Role Based Access Control Administrator": "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
    "Locks Contributor": "28bf596f-4eb7-45ce-b5bc-6cf482fec137",
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "AcrPush": "8311e382-0749-4cb8-b61a-304f252e45ec",
    "Key Vault Administrator": "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    "Key Vault Reader": "21090545-7ca7-4776-b22c-e363652d74d2",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Key Vault Certificates Officer": "a4417e6f-fecd-4de8-b567-7b0420556985",
    "Key Vault Certificate User": "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
    "Key Vault Contributor": "f25e0fa2-a7c8-4377-a976-54943a77a395",
    "Key Vault Crypto Officer": "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
    "Key Vault Crypto User": "12338af0-0e69-4776-bea7-57ae8d297424",
    "Key Vault Crypto Service Encryption User": "e147488a-f6f5-4113-8e2d-b22465e65bf6",
    "Managed Identity Operator": "f1a07417-d97a-45cb-824c-7a7467783830",
    "Managed Identity Contributor": "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Monitoring Contributor": "749f88d5-cbae-40b8-bcfc-e573ddc772fa",
    "Monitoring Reader": "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
    "Log Analytics Reader": "73c42c96-874c-492b-b04d-ab87d138a893",
    "Log Analytics Contributor": "92aaf0da-9dab-42b6-94a3-d43ce8d16293",
    "Network Contributor": "4d97b98b-1d4f-4787-a291-c67834d212e7",
    "Private DNS Zone Contributor": "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "API Management Service Contributor": "312a565d-c81f-4fd8-895a-4e21e48d571c",
    "API Management Service Reader Role": "71522526-b88f-4d52-b57f-d31fc3546d0d",
    "Azure Container Instances Contributor Role": "5d977122-f97e-4b4d-a52f-6b43003ddb4d",
    "DocumentDB Account Contributor": "5bd9cd88-fe45-4216-938b-f97437e15450",
    "Cosmos DB Operator": "230815da-be43-4aae-9cb4-875f7bd000aa",
    "Cosmos DB Account Reader Role": "fbdf93bf-df7d-467e-a4d2-9458aa1360c8",
}

APPLICATIONS = {
    "MicrosoftGraph": GRAPH,
    "AzureActiveDirectoryGraph": "00000002-0000-0000-c000-000000000000",
    "MicrosoftAzureCli": AZURE_CLI,
    "AzureKeyVault": KEY_VAULT,
    "AzureStorage": STORAGE,
    "AzureServiceManagement": MANAGEMENT,
    "MicrosoftVisualStudioCode": VS_CODE,
}

DEVOPS_INFRASTRUCTURE = "31687f79-5e43-4c1e-8c63-d9f4bff5cf8b"
"""Application of Managed DevOps Pools; in a tenant from when `Microsoft.DevOpsInfrastructure` is registered there."""

DISPLAY_NAMES = {
    GRAPH: "Microsoft Graph",
    AZURE_CLI: "Microsoft Azure CLI",
    VS_CODE: "Visual Studio Code",
    MANAGEMENT: "Windows Azure Service Management API",
    KEY_VAULT: "Azure Key Vault",
    STORAGE: "Azure Storage",
    REGISTRY: "Azure Container Registry",
    OSS_DATABASES: "Azure OSSRDBMS Database",
    DEVOPS: "Azure DevOps",
    DEVOPS_INFRASTRUCTURE: "DevOpsInfrastructure",
}
"""Of applications that every tenant has."""

GRAPH_SCOPES = {
    "User.Read": "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
    "openid": "37f7f235-527c-4136-accd-4a02d197296e",
    "profile": "14dad69e-099b-42c9-810b-d002981feec1",
    "email": "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
    "offline_access": "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
    "GroupMember.Read.All": "bc024368-1153-4739-b217-4326f2e966d0",
    "Group.Read.All": "5f8c59db-677d-491f-a6b8-5f174b11ec1d",
}

GRAPH_ROLES = {
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "Group.Create": "bf7b1a76-6e77-406b-b258-bf5c7720e98f",
    "Group.ReadWrite.All": "62a82d76-70ea-41e2-9197-370581804d09",
    "Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b",
    "GroupMember.ReadWrite.All": "dbaae8cf-10b5-4b86-a4a1-f871c94c6695",
    "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
}

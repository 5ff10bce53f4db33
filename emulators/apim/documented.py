"""What Microsoft's reference lists, so that what is missing here can be named ("API Management policy reference",
"Policy expressions"). Names only; what of them runs is said by the code that runs it.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ELEMENTS = _names(
    """
    authentication-basic authentication-certificate authentication-managed-identity
    azure-openai-emit-token-metric azure-openai-semantic-cache-lookup azure-openai-semantic-cache-store
    azure-openai-token-limit base cache-lookup cache-lookup-value cache-remove-value cache-store
    cache-store-value check-header choose cors cosmosdb-data-source cross-domain emit-metric find-and-replace
    forward-request get-authorization-context http-data-source include-fragment invoke-dapr-binding ip-filter
    json-to-xml jsonp limit-concurrency llm-content-safety llm-emit-token-metric llm-semantic-cache-lookup
    llm-semantic-cache-store llm-token-limit log-to-eventhub mock-response proxy publish-event publish-to-dapr
    quota quota-by-key rate-limit rate-limit-by-key redirect-content-urls retry return-response rewrite-uri
    send-one-way-request send-request send-service-bus-message set-backend-service set-body set-header
    set-method set-query-parameter set-status set-variable sql-data-source trace validate-azure-ad-token
    validate-client-certificate validate-content validate-graphql-request validate-headers validate-jwt
    validate-odata-request validate-parameters validate-status-code wait xml-to-json xsl-transform
    """
)

#: .NET types that expressions may use in API Management; members are listed for the types that are here.
TYPES = _names(
    """
    Array AsymmetricAlgorithm BasicAuthCredentials BitConverter Capture CaptureCollection CipherMode Convert
    DateTime DateTimeKind DateTimeOffset Dictionary Encoding Enumerable Exception Formatting Group
    GroupCollection Guid HMAC HMACMD5 HMACSHA1 HMACSHA256 HMACSHA384 HMACSHA512 HashAlgorithm HashAlgorithmName
    HashSet IApi ICollection IContext IDeployment IDictionary IEnumerable IEnumerator IError IList IMessageBody
    IOperation IPAddress IProduct IReadOnlyCollection IReadOnlyDictionary IRequest IResponse ISet ISubscription
    IGroup IPrivateEndpointConnection IUrl IUser IUserIdentity JArray JConstructor JContainer JObject JProperty
    JRaw JToken JTokenType JValue JsonConvert Jwt
    KeyValuePair KeyedHashAlgorithm List MD5 Match MatchCollection Math MidpointRounding Nullable Oid
    PaddingMode PublicKey Queue RNGCryptoServiceProvider RSA RSAEncryptionPadding RSASignaturePadding Random
    Regex RegexOptions SHA1 SHA1Managed SHA256 SHA256Managed SHA384 SHA384Managed SHA512 SHA512Managed Stack
    StringBuilder StringComparer StringComparison StringReader StringSplitOptions StringWriter
    SymmetricAlgorithm TimeSpan TimeZone TimeZoneInfo Tuple Uri UriPartial WebUtility X500DistinguishedName
    X509Certificate X509Certificate2 X509ContentType XAttribute XCData XComment XContainer XDeclaration
    XDocument XDocumentType XElement XName XNamespace XNode XNodeDocumentOrderComparer XNodeEqualityComparer
    XObject XProcessingInstruction XText XmlNodeType bool byte char decimal double float int long object sbyte
    short string uint ulong ushort
    """
)

#: Attributes and children of elements that run, which are themselves refused.
REFUSED_PARTS = {
    "mock-response": "index",
    "send-request": "authentication-certificate, proxy",
    "set-backend-service": "sf-*, dapr-*",
    "set-body": "template, xsi-nil, parse-date",
    "validate-azure-ad-token": "decryption-keys",
    "validate-jwt": "issuer-signing-keys, decryption-keys",
}

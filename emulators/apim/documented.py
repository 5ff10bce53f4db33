"""The types that Microsoft lists for policy expressions ("API Management policy expressions"), so that those which are
missing here can be named. Names only; what of them runs is said by the code that runs it.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: .NET types that expressions may use in API Management; members are listed for the types that are here.
TYPES = _names(
    """
    Array AsymmetricAlgorithm Authorization BasicAuthCredentials BitConverter Capture CaptureCollection CipherMode
    Convert DateTime DateTimeKind DateTimeOffset Dictionary Encoding Enumerable Exception Formatting Group
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

#: Documented members ("Context variable", and the members of types that are here) that do not compile.
REFUSED_MEMBERS = sorted(
    _names(
        """
        Convert.ToDateTime IApi.Protocols IApi.Workspace IContext.Backend IContext.GraphQL IContext.Workspace
        IDeployment.Certificates IDeployment.Gateway IDeployment.ServiceId IDictionary.ToFormUrlEncodedContent
        IDictionary.ToQueryString IRequest.Certificate JProperty.Remove JToken.Ancestors JToken.Parent JToken.Path
        JToken.Remove JToken.Replace
        """
    )
)

using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace ContactJson;

/// <summary>Somebody, as an address book exports them.</summary>
public sealed class Contact
{
    /// <summary>How to address them.</summary>
    [JsonProperty("full_name", Order = -2, Required = Required.Always)]
    public string Name { get; set; } = "";

    /// <summary>Where to write to.</summary>
    [JsonProperty("e_mail", Order = -1, NullValueHandling = NullValueHandling.Ignore)]
    public string? Address { get; set; }

    /// <summary>What else is known.</summary>
    [JsonExtensionData]
    public IDictionary<string, JToken> Others { get; } = new SortedDictionary<string, JToken>(StringComparer.Ordinal);
}

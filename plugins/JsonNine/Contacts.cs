using Newtonsoft.Json;
using ProcessPool;

namespace ContactJson;

/// <summary>One source in two plugins, JsonNine and JsonThirteen, that have two versions of Newtonsoft.Json.</summary>
public static class Contacts
{
    /// <summary>The version of Newtonsoft.Json that this plugin sees, and its file.</summary>
    [EntryPoint]
    public static string Version()
    {
        var assembly = typeof(JsonConvert).Assembly;
        return $"{assembly.GetName().Version} {assembly.Location}";
    }

    /// <summary>Brings a contact in JSON into its normal form: full_name first, then e_mail if there is one, then all else by name.</summary>
    /// <param name="json">An object with full_name. The versions differ: 9 keeps an e_mail that is null, among all else; 13 refuses what is more than 64 deep.</param>
    [EntryPoint]
    public static string Convert(string json) =>
        JsonConvert.SerializeObject(JsonConvert.DeserializeObject<Contact>(json) ?? throw new JsonSerializationException("Expected a contact, not null."));
}

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
    /// <param name="json">An object with full_name. Version 13 refuses one that is more than 64 deep.</param>
    [EntryPoint]
    public static string Convert(string json) =>
        JsonConvert.SerializeObject(JsonConvert.DeserializeObject<Contact>(json) ?? throw new JsonSerializationException("Expected a contact, not null."));
}

using System.Net.Http.Json;
using System.Text;
using ProcessPool;

/// <summary>What throws <see cref="MissingMethodException"/> when the plugin gets its own System.Text.Json and the framework's System.Net.Http.Json.</summary>
public static class Json
{
    /// <summary>Reads an item through the framework's HTTP extension.</summary>
    [EntryPoint]
    public static async Task<int> ReadAsync(string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        return (await content.ReadFromJsonAsync<Item>(new System.Text.Json.JsonSerializerOptions()))!.Number;
    }
}

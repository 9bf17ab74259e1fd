using System.Text.Json;
using System.Text.Json.Serialization;

namespace ProcessPool;

/// <summary>The types that the library itself serializes.</summary>
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class JsonContext : JsonSerializerContext;

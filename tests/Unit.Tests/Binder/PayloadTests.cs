using ProcessPool.Binding;
using ProcessPool.Binding.Payload;
using ProcessPool.Protocol;

namespace ProcessPool.Unit.Tests.Binder;

/// <summary>What becomes of values and types on their way.</summary>
public sealed class PayloadTests
{
    private static readonly PayloadJson Json = PayloadJson.ForHost(null);

    [Theory]
    [InlineData(typeof(int), "int")]
    [InlineData(typeof(int?), "int?")]
    [InlineData(typeof(List<int>), "List<int>")]
    [InlineData(typeof(Dictionary<string, List<int[]>>), "Dictionary<string, List<int[]>>")]
    public void Types_are_named_as_in_csharp(Type type, string name) => Assert.Equal(name, TypeNames.Of(type));

    [Fact]
    public void A_generic_contract_has_the_name_of_its_open_type() =>
        Assert.Equal("IEquatable", TypeNames.Short(typeof(IEquatable<int>).FullName!));

    [Fact]
    public void A_value_that_makes_a_call_while_it_is_serialized_keeps_its_own_bytes()
    {
        var payload = CallArguments.Create([new Nosy([1]), new byte[] { 2 }]).ToPayload(new CallPlace("p", 1, "E"), Json);
        Assert.Equal([1, 2], payload.Attachments.Select(attachment => attachment.Span[0]));
    }

    [Fact]
    public void Two_places_cannot_refer_to_one_attachment()
    {
        var reply = new CallReply(CallStatus.Succeeded, """[{"$bytes":0},{"$bytes":0}]"""u8.ToArray(), [new byte[1]], null);
        var refused = Assert.Throws<CallArgumentException>(() => ResultReader.Read<System.Text.Json.JsonElement>(reply, new FaultSite("p", EntryPoint: "Do"), Json));
        Assert.Contains("refer to one attachment", refused.Message);
    }

    /// <summary>Its getter serializes other bytes, as a call of its own would.</summary>
    private sealed class Nosy(byte[] bytes)
    {
        public byte[] Bytes => bytes;

        public int Calls => CallArguments.Create([new byte[] { 9 }, new byte[] { 8 }]).ToPayload(new CallPlace("p", 1, "E"), Json).Attachments.Length;
    }
}

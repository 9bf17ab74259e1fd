using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>A plugin's DLL is a stranger's file: what no compiler writes is refused, and costs neither memory nor the stack.</summary>
public sealed class HostileMetadataTests : IDisposable
{
    private const byte Int32 = 0x08;
    private const byte Void = 0x01;
    private const byte Class = 0x12;
    private const byte Array = 0x14;
    private const byte GenericInstance = 0x15;
    private const byte Vector = 0x1D;
    private const int Huge = 0x1FFF_FFFF;

    private readonly string _folder = Directory.CreateTempSubdirectory("processpool-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void An_ordinary_one_is_read()
    {
        var plugin = PluginInfo.Read(Write(signature => Parameter(signature, Vector, Array, Int32, 2, 0, 0)));
        Assert.Equal("int[,][]", Assert.Single(Assert.Single(plugin.EntryPoints).Parameters).Type);
    }

    [Fact]
    public void A_type_that_is_nested_without_end_is_refused() =>
        Refused("300004 bytes", signature => Parameter(signature, [.. Enumerable.Repeat(Vector, 300_000), Int32]));

    [Fact]
    public void An_array_of_endless_dimensions_is_refused() => Refused("536870911 dimensions", signature =>
    {
        Parameter(signature, Array, Int32);
        signature.WriteCompressedInteger(Huge);
        signature.WriteBytes(0, 2);
    });

    [Fact]
    public void More_types_than_there_is_room_for_are_refused()
    {
        Refused("announces 536870911 types", signature =>
        {
            signature.WriteByte(0);
            signature.WriteCompressedInteger(Huge);
            signature.WriteByte(Void);
        });
        Refused("announces 536870911 types", signature =>
        {
            Parameter(signature, GenericInstance, Class, 5);
            signature.WriteCompressedInteger(Huge);
        });
    }

    [Fact]
    public void A_kind_of_type_that_is_written_in_four_bytes_is_read_as_the_decoder_reads_it()
    {
        Refused("announces 536870911 types", signature =>
        {
            signature.WriteBytes((byte[])[0, 1, 0xC0, 0, 0, GenericInstance, Class, 5]);
            signature.WriteCompressedInteger(Huge);
        });
        Refused("536870911 dimensions", signature =>
        {
            Parameter(signature, 0x80, Array, Int32);
            signature.WriteCompressedInteger(Huge);
            signature.WriteBytes(0, 2);
        });
    }

    [Fact]
    public void What_follows_the_last_type_and_kinds_that_there_are_not_are_refused()
    {
        Refused("1 bytes too many", signature => Parameter(signature, Int32, 0));
        Refused("a type of kind 66", signature => Parameter(signature, 0x42));
    }

    [Fact]
    public void A_name_of_megabytes_is_refused() => Refused("a name of 1000000 bytes", signature => Parameter(signature, Int32), new string('x', 1_000_000));

    private static void Parameter(BlobBuilder signature, params byte[] type)
    {
        signature.WriteByte(0);
        signature.WriteCompressedInteger(1);
        signature.WriteByte(Void);
        signature.WriteBytes(type);
    }

    private void Refused(string why, Action<BlobBuilder> signature, string name = "Go") =>
        Assert.Contains(why, Assert.Throws<PluginLoadException>(() => PluginInfo.Read(Write(signature, name))).Message);

    // One class with one entry point.
    private string Write(Action<BlobBuilder> write, string name = "Go")
    {
        var (metadata, code, body, signature, constructor) = (new MetadataBuilder(), new BlobBuilder(), new BlobBuilder(), new BlobBuilder(), new BlobBuilder());
        metadata.AddModule(0, metadata.GetOrAddString("Hostile.dll"), metadata.GetOrAddGuid(Guid.NewGuid()), default, default);
        metadata.AddAssembly(metadata.GetOrAddString("Hostile"), new Version(1, 0, 0, 0), default, default, 0, AssemblyHashAlgorithm.None);
        var runtime = metadata.AddAssemblyReference(metadata.GetOrAddString("System.Runtime"), new Version(10, 0, 0, 0), default, default, 0, default);
        var abstractions = metadata.AddAssemblyReference(metadata.GetOrAddString("ProcessPool.Abstractions"), new Version(0, 1, 0, 0), default, default, 0, default);
        var objectType = metadata.AddTypeReference(runtime, metadata.GetOrAddString("System"), metadata.GetOrAddString("Object"));
        var attribute = metadata.AddTypeReference(abstractions, metadata.GetOrAddString("ProcessPool"), metadata.GetOrAddString(nameof(EntryPointAttribute)));
        new BlobEncoder(constructor).MethodSignature(isInstanceMethod: true).Parameters(0, returns => returns.Void(), _ => { });
        var make = metadata.AddMemberReference(attribute, metadata.GetOrAddString(".ctor"), metadata.GetOrAddBlob(constructor));
        var instructions = new InstructionEncoder(body);
        instructions.OpCode(ILOpCode.Ret);
        var at = new MethodBodyStreamEncoder(code).AddMethodBody(instructions);
        metadata.AddTypeDefinition(0, default, metadata.GetOrAddString("<Module>"), default, MetadataTokens.FieldDefinitionHandle(1), MetadataTokens.MethodDefinitionHandle(1));
        metadata.AddTypeDefinition(TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed, default, metadata.GetOrAddString("Plugin"), objectType, MetadataTokens.FieldDefinitionHandle(1), MetadataTokens.MethodDefinitionHandle(1));
        write(signature);
        var method = metadata.AddMethodDefinition(MethodAttributes.Public | MethodAttributes.Static, 0, metadata.GetOrAddString(name), metadata.GetOrAddBlob(signature), at, MetadataTokens.ParameterHandle(1));
        metadata.AddParameter(0, metadata.GetOrAddString("value"), 1);
        metadata.AddCustomAttribute(method, make, metadata.GetOrAddBlob(new byte[] { 1, 0, 0, 0 }));
        var file = new BlobBuilder();
        new ManagedPEBuilder(new PEHeaderBuilder(imageCharacteristics: Characteristics.Dll), new MetadataRootBuilder(metadata), code).Serialize(file);
        var path = Path.Combine(_folder, "Hostile.dll");
        File.WriteAllBytes(path, file.ToArray());
        return path;
    }
}

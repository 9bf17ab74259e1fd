using System.Reflection;
using System.Reflection.Metadata;
using System.Runtime.CompilerServices;
using ProcessPool.Binding;

namespace ProcessPool.Plugins;

/// <summary>Finds entry points in metadata, by the same rules as Binder does in the loaded assembly.</summary>
internal sealed class EntryPointReader(ModuleSet modules)
{
    private const string AttributeName = "ProcessPool.EntryPointAttribute";
    private const string IdempotentName = "ProcessPool.IdempotentAttribute";

    public IEnumerable<EntryPointInfo> Read(Module module)
    {
        var reader = module.Reader;
        foreach (var handle in reader.TypeDefinitions)
        {
            var type = reader.GetTypeDefinition(handle);
            foreach (var method in type.GetMethods().Select(reader.GetMethodDefinition))
            {
                if (Find(reader, method.GetCustomAttributes(), AttributeName) is { } attribute)
                {
                    RefuseUncallable(reader, type, method);
                    yield return Describe(module, MetadataNames.OfType(reader, handle), method, MetadataNames.FirstString(reader, attribute) ?? MetadataNames.Of(reader, method.Name));
                }
            }

            if (Find(reader, type.GetCustomAttributes(), AttributeName) is not null)
            {
                var contracts = ReadContracts(module, type).ToList();
                if (contracts.Count == 0 || (type.Attributes & TypeAttributes.Abstract) != 0)
                {
                    throw PluginInfo.Unusable(modules.Path, $"class {MetadataNames.Of(reader, type.Name)} has [EntryPoint], but is abstract or implements no contract interface");
                }

                foreach (var entryPoint in contracts)
                {
                    yield return entryPoint;
                }
            }
        }
    }

    private IEnumerable<EntryPointInfo> ReadContracts(Module module, TypeDefinition implementation)
    {
        var idempotent = implementation.GetMethods().Select(module.Reader.GetMethodDefinition).Where(method => IsIdempotent(module.Reader, method)).ToList();
        foreach (var (owner, contract) in Interfaces(module, implementation).Distinct())
        {
            var reader = owner.Reader;
            var fullName = MetadataNames.OfType(reader, contract);

            foreach (var method in reader.GetTypeDefinition(contract).GetMethods().Select(reader.GetMethodDefinition))
            {
                if ((method.Attributes & MethodAttributes.Static) == 0)
                {
                    var name = MetadataNames.Of(reader, method.Name);
                    var entryPoint = Describe(owner, fullName, method, $"{TypeNames.Short(fullName)}.{name}");
                    yield return entryPoint with { Contract = fullName, IsIdempotent = entryPoint.IsIdempotent || idempotent.Any(candidate => Implements(module.Reader, candidate, reader, method, fullName)) };
                }
            }
        }
    }

    // Of the class and its base classes, as far as they are in the plugin's folder; the framework's interfaces are no contracts.
    private IEnumerable<(Module Owner, TypeDefinitionHandle Type)> Interfaces(Module module, TypeDefinition type)
    {
        // Damaged metadata may lead in circles.
        RuntimeHelpers.EnsureSufficientExecutionStack();
        foreach (var handle in type.GetInterfaceImplementations())
        {
            if (Resolve(module, module.Reader.GetInterfaceImplementation(handle).Interface) is { } contract)
            {
                yield return contract;
            }
        }

        if (!type.BaseType.IsNil && Resolve(module, type.BaseType) is { } parent)
        {
            foreach (var contract in Interfaces(parent.Owner, parent.Owner.Reader.GetTypeDefinition(parent.Type)))
            {
                yield return contract;
            }
        }
    }

    private (Module Owner, TypeDefinitionHandle Type)? Resolve(Module module, EntityHandle handle)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        var reader = module.Reader;
        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition:
                return (module, (TypeDefinitionHandle)handle);
            case HandleKind.TypeSpecification:
                // ECMA-335 II.23.2.14: GENERICINST, CLASS or VALUETYPE, then the open type.
                var blob = reader.GetBlobReader(reader.GetTypeSpecification((TypeSpecificationHandle)handle).Signature);
                return blob.ReadByte() == 0x15 && blob.ReadByte() is 0x12 or 0x11 ? Resolve(module, blob.ReadTypeHandle()) : null;
            case HandleKind.TypeReference:
                var reference = reader.GetTypeReference((TypeReferenceHandle)handle);
                return reference.ResolutionScope.Kind switch
                {
                    HandleKind.AssemblyReference => Find(module, handle, (AssemblyReferenceHandle)reference.ResolutionScope),
                    HandleKind.TypeReference when Resolve(module, reference.ResolutionScope) is { } outer => FindNested(outer, MetadataNames.Of(reader, reference.Name)),
                    _ => null,
                };
            default:
                return null;
        }
    }

    private (Module Owner, TypeDefinitionHandle Type)? Find(Module module, EntityHandle type, AssemblyReferenceHandle assembly)
    {
        var owner = modules.Find(MetadataNames.Of(module.Reader, module.Reader.GetAssemblyReference(assembly).Name));
        var name = MetadataNames.OfType(module.Reader, type);
        if (owner is null || name.StartsWith("System.", StringComparison.Ordinal))
        {
            return null;
        }

        foreach (var candidate in owner.Reader.TypeDefinitions)
        {
            if (MetadataNames.OfType(owner.Reader, candidate) == name && !owner.Reader.GetTypeDefinition(candidate).IsNested)
            {
                return (owner, candidate);
            }
        }

        return null;
    }

    private static (Module Owner, TypeDefinitionHandle Type)? FindNested((Module Owner, TypeDefinitionHandle Type) outer, string name)
    {
        var reader = outer.Owner.Reader;
        foreach (var candidate in reader.GetTypeDefinition(outer.Type).GetNestedTypes())
        {
            if (MetadataNames.Of(reader, reader.GetTypeDefinition(candidate).Name) == name)
            {
                return (outer.Owner, candidate);
            }
        }

        return null;
    }

    private void RefuseUncallable(MetadataReader reader, TypeDefinition type, MethodDefinition method)
    {
        var name = $"{MetadataNames.Of(reader, type.Name)}.{MetadataNames.Of(reader, method.Name)}";
        if ((method.Attributes & (MethodAttributes.MemberAccessMask | MethodAttributes.Static)) != (MethodAttributes.Public | MethodAttributes.Static))
        {
            throw PluginInfo.Unusable(modules.Path, $"{name} has [EntryPoint], but is not public and static");
        }

        if (method.GetGenericParameters().Count > 0 || type.GetGenericParameters().Count > 0)
        {
            throw PluginInfo.Unusable(modules.Path, $"{name} has [EntryPoint], but is generic; make an entry point for each type");
        }

        if (SignatureText.Of(reader, method).ParameterTypes.Any(parameter => parameter.StartsWith("ref ", StringComparison.Ordinal) || parameter.EndsWith('*')))
        {
            throw PluginInfo.Unusable(modules.Path, $"{name} has [EntryPoint], but takes a reference or a pointer, which cannot leave a process");
        }
    }

    private static EntryPointInfo Describe(Module module, string type, MethodDefinition method, string name)
    {
        var reader = module.Reader;
        var signature = SignatureText.Of(reader, method);
        var parameters = new List<EntryPointParameter>();
        foreach (var parameter in method.GetParameters().Select(reader.GetParameter).Where(parameter => parameter.SequenceNumber > 0).OrderBy(parameter => parameter.SequenceNumber))
        {
            parameters.Add(new EntryPointParameter(
                MetadataNames.Of(reader, parameter.Name), signature.ParameterTypes[parameter.SequenceNumber - 1], (parameter.Attributes & ParameterAttributes.Optional) != 0 || signature.ParameterTypes[parameter.SequenceNumber - 1].StartsWith(SignatureText.Progress, StringComparison.Ordinal)));
        }

        var result = Awaited(signature.ReturnType);
        return new EntryPointInfo(name, [.. parameters.Where(parameter => parameter.Type is not (SignatureText.Token or SignatureText.Context))], result)
        {
            Documentation = (module.Comments, type, MetadataNames.Of(reader, method.Name)),
            AcceptsCancellation = signature.ParameterTypes.Contains(SignatureText.Token),
            Streams = result.StartsWith(SignatureText.Stream, StringComparison.Ordinal),
            IsIdempotent = IsIdempotent(reader, method),
        };
    }

    private static string Awaited(string type) => type switch
    {
        "Task" or "ValueTask" => "void",
        _ when type.StartsWith("Task<", StringComparison.Ordinal) => type["Task<".Length..^1],
        _ when type.StartsWith("ValueTask<", StringComparison.Ordinal) => type["ValueTask<".Length..^1],
        _ => type,
    };

    // Explicitly, by its name; or implicitly, by name and parameters.
    private static bool Implements(MetadataReader reader, MethodDefinition candidate, MetadataReader contractReader, MethodDefinition method, string contract)
    {
        var name = MetadataNames.Of(reader, candidate.Name);
        var last = name.LastIndexOf('.');
        var parameters = SignatureText.Of(reader, candidate).ParameterTypes;
        return name[(last + 1)..] == MetadataNames.Of(contractReader, method.Name)
            && parameters.SequenceEqual(SignatureText.Of(contractReader, method).ParameterTypes)
            && (last < 0
                ? (candidate.Attributes & (MethodAttributes.MemberAccessMask | MethodAttributes.Static)) == MethodAttributes.Public && candidate.GetGenericParameters().Count == 0
                : name[..last].Split('<')[0] == contract.Split('`')[0]);
    }

    private static bool IsIdempotent(MetadataReader reader, MethodDefinition method) => Find(reader, method.GetCustomAttributes(), IdempotentName) is not null;

    private static CustomAttributeHandle? Find(MetadataReader reader, CustomAttributeHandleCollection attributes, string name)
    {
        foreach (var handle in attributes)
        {
            if (MetadataNames.OfAttribute(reader, handle) == name)
            {
                return handle;
            }
        }

        return null;
    }
}

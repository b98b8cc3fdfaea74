using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace AgentPlatform.Tests.Offline;

/// <summary>
/// A member of a type by name and number of parameters; a property or event counts under its own name, without parameters.
/// </summary>
internal sealed record Member(string Type, string Name, int Parameters)
{
    public override string ToString() => $"{Type}.{Name}/{Parameters}";
}

/// <summary>Reads which members an assembly has and which it uses, from its metadata; nothing of it is loaded.</summary>
internal sealed class AssemblyMembers : IDisposable
{
    // What the compiler adds to a record or an enumerator.
    private static readonly HashSet<string> _synthesized =
    [
        "Equals", "GetHashCode", "ToString", "Deconstruct", "<Clone>$", "op_Equality", "op_Inequality", "PrintMembers",
    ];

    private readonly PEReader _file;
    private readonly MetadataReader _reader;

    public AssemblyMembers(string path)
    {
        _file = new PEReader(File.OpenRead(path));
        _reader = _file.GetMetadataReader();
    }

    /// <summary>Public and protected members of public types, without what only implements an interface or overrides.</summary>
    /// <param name="interfaces">Methods of interfaces in other assemblies.</param>
    public IEnumerable<Member> Public(ILookup<string, string> interfaces)
    {
        foreach (var type in _reader.TypeDefinitions.Select(_reader.GetTypeDefinition).Where(IsVisible))
        {
            var name = NameOf(type);
            if (Kind(type) is "System.Enum")
            {
                // Values are constants, which the compiler copies: only the type can be seen in use.
                yield return new Member(name, "", 0);
                continue;
            }

            var promised = type.GetInterfaceImplementations()
                .SelectMany(handle => InterfaceMethods(_reader.GetInterfaceImplementation(handle).Interface, interfaces))
                    .ToHashSet(StringComparer.Ordinal);
            foreach (var method in type.GetMethods().Select(_reader.GetMethodDefinition).Where(IsVisible))
            {
                var methodName = _reader.GetString(method.Name);
                var isOverride = method.Attributes.HasFlag(MethodAttributes.Virtual)
                    && !method.Attributes.HasFlag(MethodAttributes.NewSlot);
                if (!isOverride && !promised.Contains(methodName) && !_synthesized.Contains(methodName))
                {
                    yield return Of(name, methodName, method.Signature);
                }
            }

            foreach (var field in type.GetFields().Select(_reader.GetFieldDefinition)
                .Where(field => field.Attributes.HasFlag(FieldAttributes.Public) && !field.Attributes.HasFlag(FieldAttributes.Literal)))
            {
                yield return new Member(name, _reader.GetString(field.Name), 0);
            }
        }
    }

    /// <summary>Members of other assemblies that this one calls or reads, and their types by themselves (with an empty name).</summary>
    public IEnumerable<Member> Used()
    {
        foreach (var member in _reader.MemberReferences.Select(_reader.GetMemberReference))
        {
            if (TypeName(member.Parent) is { } type)
            {
                var name = _reader.GetString(member.Name);
                yield return member.GetKind() == MemberReferenceKind.Field ? new Member(type, name, 0) : Of(type, name, member.Signature);
            }
        }

        foreach (var type in _reader.TypeReferences)
        {
            yield return new Member(TypeName(type)!, "", 0);
        }
    }

    /// <summary>
    /// Members of this assembly that it calls itself: tokens of its own methods (table 6) after call, callvirt and newobj.
    /// </summary>
    public IEnumerable<Member> UsedWithin()
    {
        foreach (var body in _reader.MethodDefinitions.Select(_reader.GetMethodDefinition)
            .Where(method => method.RelativeVirtualAddress != 0)
            .Select(method => _file.GetMethodBody(method.RelativeVirtualAddress).GetILBytes()!))
        {
            for (var i = 0; i + 4 < body.Length; i++)
            {
                var row = BitConverter.ToInt32(body, i + 1);
                if (body[i] is 0x28 or 0x6F or 0x73 && row >> 24 == 6 && (row & 0xFFFFFF) is > 0 and var number
                    && number <= _reader.MethodDefinitions.Count)
                {
                    var method = _reader.GetMethodDefinition(
                        System.Reflection.Metadata.Ecma335.MetadataTokens.MethodDefinitionHandle(number));
                    yield return Of(
                        NameOf(_reader.GetTypeDefinition(method.GetDeclaringType())), _reader.GetString(method.Name), method.Signature);
                }
            }
        }
    }

    /// <summary>Names of the methods that this assembly defines, without the interface's name where one is written out.</summary>
    public IEnumerable<string> Defined() =>
        _reader.MethodDefinitions.Select(handle => _reader.GetString(_reader.GetMethodDefinition(handle).Name))
            .Select(name => name[(name.LastIndexOf('.') is var dot && dot > 0 ? dot + 1 : 0)..]);

    /// <summary>Interfaces of this assembly with the names of their methods.</summary>
    public IEnumerable<(string Type, string Method)> InterfaceMethods() =>
        from type in _reader.TypeDefinitions.Select(_reader.GetTypeDefinition)
        where type.Attributes.HasFlag(TypeAttributes.Interface)
        from method in type.GetMethods()
        select (NameOf(type), _reader.GetString(_reader.GetMethodDefinition(method).Name));

    /// <summary>Whether a type of this assembly is an interface.</summary>
    public bool IsInterface(string type) =>
        _reader.TypeDefinitions.Select(_reader.GetTypeDefinition)
            .Any(definition => definition.Attributes.HasFlag(TypeAttributes.Interface) && NameOf(definition) == type);

    public void Dispose() => _file.Dispose();

    private Member Of(string type, string name, BlobHandle signature)
    {
        // ECMA-335 II.23.2.1: header, number of type parameters if generic, number of parameters.
        var blob = _reader.GetBlobReader(signature);
        if (blob.ReadSignatureHeader().IsGeneric)
        {
            blob.ReadCompressedInteger();
        }

        var parameters = blob.ReadCompressedInteger();
        return name.Length > 4 && name[..4] is "get_" or "set_" ? new Member(type, name[4..], 0) : new Member(type, name, parameters);
    }

    private bool IsVisible(TypeDefinition type) => (type.Attributes & TypeAttributes.VisibilityMask) switch
    {
        TypeAttributes.Public => true,
        TypeAttributes.NestedPublic => IsVisible(_reader.GetTypeDefinition(type.GetDeclaringType())),
        _ => false,
    };

    private static bool IsVisible(MethodDefinition method) =>
        (method.Attributes & MethodAttributes.MemberAccessMask) is MethodAttributes.Public or MethodAttributes.Family;

    private string? Kind(TypeDefinition type) => TypeName(type.BaseType);

    private string NameOf(TypeDefinition type) =>
        Join(type.IsNested ? NameOf(_reader.GetTypeDefinition(type.GetDeclaringType())) : _reader.GetString(type.Namespace), type.Name);

    private string? TypeName(EntityHandle handle)
    {
        if (handle.IsNil)
        {
            return null;
        }

        switch (handle.Kind)
        {
            case HandleKind.TypeReference:
                var reference = _reader.GetTypeReference((TypeReferenceHandle)handle);
                var owner = reference.ResolutionScope.Kind == HandleKind.TypeReference
                    ? TypeName(reference.ResolutionScope)!
                    : _reader.GetString(reference.Namespace);
                return Join(owner, reference.Name);
            case HandleKind.TypeDefinition:
                return NameOf(_reader.GetTypeDefinition((TypeDefinitionHandle)handle));
            case HandleKind.TypeSpecification:
                // A generic instance: GENERICINST, CLASS or VALUETYPE, the type's token.
                var blob = _reader.GetBlobReader(_reader.GetTypeSpecification((TypeSpecificationHandle)handle).Signature);
                return blob.ReadSignatureTypeCode() == SignatureTypeCode.GenericTypeInstance && blob.ReadCompressedInteger() > 0
                    ? TypeName(blob.ReadTypeHandle())
                    : null;
            default:
                return null;
        }
    }

    private IEnumerable<string> InterfaceMethods(EntityHandle handle, ILookup<string, string> interfaces)
    {
        if (handle.Kind == HandleKind.TypeDefinition)
        {
            var type = _reader.GetTypeDefinition((TypeDefinitionHandle)handle);
            return type.GetMethods().Select(method => _reader.GetString(_reader.GetMethodDefinition(method).Name));
        }

        return TypeName(handle) switch
        {
            "System.IAsyncDisposable" => ["DisposeAsync"],
            "System.IDisposable" => ["Dispose"],
            { } name => interfaces[name],
            null => [],
        };
    }

    private string Join(string owner, StringHandle name) =>
        owner.Length == 0 ? _reader.GetString(name) : $"{owner}.{_reader.GetString(name)}";
}

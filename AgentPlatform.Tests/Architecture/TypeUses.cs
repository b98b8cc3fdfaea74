using System.Collections.Frozen;
using System.Reflection;
using System.Reflection.Emit;

namespace AgentPlatform.Tests.Architecture;

/// <summary>Which types of an assembly use which others: in signatures, fields, attributes and the code of their methods.</summary>
internal static class TypeUses
{
    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    private static readonly FrozenDictionary<short, OpCode> _opCodes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToFrozenDictionary(code => code.Value);

    /// <summary>
    /// The uses, each from an outermost type to a type of any assembly. What the compiler makes counts for the type that it was made of.
    /// </summary>
    public static IEnumerable<(Type User, Type Used)> In(Assembly assembly) =>
        from type in assembly.GetTypes()
        where !IsGenerated(type)
        from used in UsedBy(type).SelectMany(Parts).Where(used => !IsGenerated(used)).Select(Outermost).Distinct()
        select (Outermost(type), used);

    private static IEnumerable<Type> UsedBy(Type type)
    {
        if (type.BaseType is not null)
        {
            yield return type.BaseType;
        }

        foreach (var used in type.GetInterfaces().Concat(Attributes(type)))
        {
            yield return used;
        }

        foreach (var field in type.GetFields(All))
        {
            yield return field.FieldType;
        }

        foreach (var property in type.GetProperties(All))
        {
            foreach (var used in Attributes(property).Prepend(property.PropertyType))
            {
                yield return used;
            }
        }

        foreach (var method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
        {
            foreach (var used in method.GetParameters().Select(parameter => parameter.ParameterType).Concat(Attributes(method))
                .Concat(UsedByCode(method)))
            {
                yield return used;
            }

            if (method is MethodInfo { ReturnType: var result })
            {
                yield return result;
            }
        }
    }

    private static IEnumerable<Type> Attributes(MemberInfo member) => member.GetCustomAttributesData()
        .SelectMany(
            attribute => attribute.ConstructorArguments.Select(argument => argument.Value).OfType<Type>().Prepend(attribute.AttributeType));

    private static IEnumerable<Type> UsedByCode(MethodBase method)
    {
        if (method.GetMethodBody() is not { } body)
        {
            yield break;
        }

        foreach (var local in body.LocalVariables)
        {
            yield return local.LocalType;
        }

        var code = body.GetILAsByteArray()!;
        for (var at = 0; at < code.Length;)
        {
            var value = code[at] == 0xFE ? (short)(0xFE00 | code[at + 1]) : code[at];
            var instruction = _opCodes[value];
            at += instruction.Size;
            if (instruction.OperandType
                is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
            {
                foreach (var used in UsedByToken(method, BitConverter.ToInt32(code, at)))
                {
                    yield return used;
                }
            }

            at += SizeOf(instruction.OperandType, code, at);
        }
    }

    private static IEnumerable<Type> UsedByToken(MethodBase method, int token)
    {
        var ofType = method.DeclaringType is { IsGenericType: true } declaring ? declaring.GetGenericArguments() : null;
        var ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        return method.Module.ResolveMember(token, ofType, ofMethod) switch
        {
            Type type => [type],
            MethodInfo { IsGenericMethod: true } called => called.GetGenericArguments().Append(called.DeclaringType!)
                .Append(called.ReturnType),
            { DeclaringType: { } owner } => [owner],
            _ => [],
        };
    }

    private static int SizeOf(OperandType operand, byte[] code, int at) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
        _ => 4,
    };

    // List<Delivery[]> uses List, Delivery.
    private static IEnumerable<Type> Parts(Type type) =>
        type.HasElementType ? Parts(type.GetElementType()!)
        : type.IsGenericParameter ? []
        : type.IsConstructedGenericType ? type.GetGenericArguments().SelectMany(Parts).Append(type.GetGenericTypeDefinition())
        : [type];

    private static Type Outermost(Type type) => type.DeclaringType is { } outer ? Outermost(outer) : type;

    // What compiler and source generators put beside the project's own types, such as <PrivateImplementationDetails> and regular
    // expressions.
    private static bool IsGenerated(Type type) =>
        Outermost(type) is { Namespace: null or "__OptionValidationStaticInstances" or "System.Text.RegularExpressions.Generated" };
}

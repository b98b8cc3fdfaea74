using System.Reflection;
using System.Runtime.Loader;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Extensions;

/// <summary>Loads the assemblies that the setting <c>Extensions</c> names.</summary>
internal static class ExtensionAssemblies
{
    private const string Section = "Extensions";

    /// <summary>Loads them and adds the extensions that they hold.</summary>
    /// <exception cref="OptionsValidationException">One cannot be loaded.</exception>
    public static void AddExtensions(this IHostApplicationBuilder builder)
    {
        foreach (var file in builder.Configuration.GetSection(Section).Get<string[]>() ?? [])
        {
            foreach (var type in TypesOf(Path.GetFullPath(file, builder.Environment.ContentRootPath)))
            {
                ((IWorkerExtension)Activator.CreateInstance(type)!).AddTo(builder);
            }
        }
    }

    private static IEnumerable<Type> TypesOf(string file)
    {
        try
        {
            return Load(file).GetExportedTypes().Where(static type => type.IsAssignableTo(typeof(IWorkerExtension)) && !type.IsAbstract);
        }
        catch (Exception e) when (e is IOException or BadImageFormatException or InvalidOperationException or TypeLoadException)
        {
            throw new OptionsValidationException(
                Section, typeof(ExtensionAssemblies), [$"{Section} names '{file}', which cannot be loaded: {e.Message}"]);
        }
    }

    // Into the worker's own context, where what both use, such as IWorkerExtension and Semantic Kernel, is the same type to both.
    // What only the extension uses lies beside it, as its deps.json says.
    private static Assembly Load(string file)
    {
        var dependencies = new AssemblyDependencyResolver(file);
        AssemblyLoadContext.Default.Resolving += (context, name) =>
            dependencies.ResolveAssemblyToPath(name) is { } path ? context.LoadFromAssemblyPath(path) : null;
        return AssemblyLoadContext.Default.LoadFromAssemblyPath(file);
    }
}

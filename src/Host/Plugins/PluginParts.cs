namespace ProcessPool;

/// <summary>An assembly that a plugin refers to.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">The version that was compiled against.</param>
/// <param name="IsShipped">Whether the plugin's folder has it.</param>
public sealed record AssemblyReferenceInfo(string Name, string Version, bool IsShipped);

/// <summary>A native library in a plugin's folder.</summary>
/// <param name="Path">The path within the folder.</param>
/// <param name="RuntimeIdentifier">The platform that it is for, such as <c>linux-x64</c>; null: not said.</param>
public sealed record NativeLibraryInfo(string Path, string? RuntimeIdentifier);

using ProcessPool.Protocol.Transport;

namespace ProcessPool.Protocol;

/// <summary>Where one file that a plugin refers to comes from.</summary>
/// <param name="Source">A <c>LoadSource</c>.</param>
/// <param name="Name">The assembly's or library's name.</param>
/// <param name="Version">The version of what is loaded, or "".</param>
/// <param name="Wanted">The version that is referred to, or "".</param>
/// <param name="Path">The file, or "".</param>
/// <param name="Why">Which rule decided.</param>
/// <param name="RequestedBy">Who refers to it first, or "".</param>
/// <param name="IsLoaded">Whether it was loaded when the report was made.</param>
internal sealed record LoadReportLine(int Source, string Name, string Version, string Wanted, string Path, string Why, string RequestedBy, bool IsLoaded)
{
    /// <summary>How much of a message it takes, about, in characters.</summary>
    public int Size => Name.Length + Version.Length + Wanted.Length + Path.Length + Why.Length + RequestedBy.Length;

    public static void Write(WireWriter writer, LoadReportLine line)
    {
        writer.Int32(line.Source);
        writer.String(line.Name);
        writer.String(line.Version);
        writer.String(line.Wanted);
        writer.String(line.Path);
        writer.String(line.Why);
        writer.String(line.RequestedBy);
        writer.Bool(line.IsLoaded);
    }

    public static LoadReportLine Read(ref WireReader reader) => new(
        reader.Int32(), reader.String(), reader.String(), reader.String(), reader.String(), reader.String(), reader.String(), reader.Bool());
}

/// <summary>All of them.</summary>
internal sealed record LoadReportMessage(LoadReportLine[] Lines)
{
    public const byte Tag = 16;

    public void Write(WireWriter writer) => writer.List(Lines, LoadReportLine.Write);

    public static LoadReportMessage Read(ref WireReader reader) => new(reader.List(LoadReportLine.Read));
}

/// <summary>The kinds, in the order of the public <c>LoadSource</c>.</summary>
internal enum LoadKind
{
    /// <summary>The plugin's own.</summary>
    Private = 0,

    /// <summary>The framework's.</summary>
    Framework = 1,

    /// <summary>Abstractions: the sandbox's.</summary>
    Shared = 2,

    /// <summary>A native library of the plugin's.</summary>
    Native = 3,

    /// <summary>A native library that the operating system's loader looks for.</summary>
    System = 4,

    /// <summary>Nowhere to be found.</summary>
    Missing = 5,

    /// <summary>A file in the plugin's folder that nothing refers to.</summary>
    Unused = 6,
}

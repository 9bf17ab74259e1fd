using System.Globalization;
using System.Resources;
using ProcessPool;

/// <summary>A strong-named plugin for .NET 9 with texts in several languages.</summary>
public static class Greeting
{
    private static readonly ResourceManager Texts = new("Localized.Texts", typeof(Greeting).Assembly);

    /// <summary>A greeting in a language.</summary>
    [EntryPoint]
    public static string Hello(string language) => Texts.GetString("Hello", CultureInfo.GetCultureInfo(language))!;
}

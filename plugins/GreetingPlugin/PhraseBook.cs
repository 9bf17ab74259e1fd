namespace GreetingPlugin;

/// <summary>What to say.</summary>
/// <param name="Salutation">How to begin.</param>
public sealed record PhraseBook(string Salutation);

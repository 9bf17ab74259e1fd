using System.Globalization;

namespace ProcessPool.Confining.Linux;

/// <summary>What a sandbox says of its confinement, before any code of a plugin was there.</summary>
/// <param name="LandlockAbi">The kernel's version; 0: none.</param>
/// <param name="Errors">What failed while it confined itself.</param>
/// <param name="Attempts">What was tried, and how it ended.</param>
internal sealed record ConfinementProof(int LandlockAbi, IReadOnlyDictionary<string, int> Errors, IReadOnlyDictionary<string, int> Attempts)
{
    /// <summary>On which threads everything is tried.</summary>
    public static readonly string[] Threads = ["main", "new", "pool", "finalizer"];

    public string Write() => string.Join('\n', Errors.Select(error => Line("error", error)).Concat(Attempts.Select(attempt => Line("attempt", attempt))).Prepend(FormattableString.Invariant($"landlock={LandlockAbi}")));

    /// <exception cref="FormatException">It is no proof.</exception>
    public static ConfinementProof Read(string text)
    {
        var (abi, errors, attempts) = (0, new Dictionary<string, int>(), new Dictionary<string, int>());
        foreach (var line in text.Split('\n'))
        {
            var parts = line.Split('=');
            switch (parts)
            {
                case ["landlock", var number]:
                    abi = Number(number);
                    break;
                case ["error", var what, var number]:
                    errors[what] = Number(number);
                    break;
                case ["attempt", var what, var number]:
                    attempts[what] = Number(number);
                    break;
                default:
                    throw new FormatException($"'{line}' is no line of a proof.");
            }
        }

        return new ConfinementProof(abi, errors, attempts);
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static string Line(string kind, KeyValuePair<string, int> pair) => FormattableString.Invariant($"{kind}={pair.Key}={pair.Value}");
}

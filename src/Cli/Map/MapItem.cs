using System.Text.Json;
using ProcessPool.Cli.Input;

namespace ProcessPool.Cli.Map;

/// <summary>A line of input on its way.</summary>
/// <param name="Index">Its place in the input, from 0; blank lines do not count.</param>
/// <param name="Line">The line.</param>
/// <param name="Start">When the pool was given its call.</param>
internal readonly record struct MapItem(long Index, InputLine Line, DateTimeOffset Start);

/// <summary>A line of input and what became of it.</summary>
/// <param name="Item">The line.</param>
/// <param name="Outcome">The result, or the last error.</param>
/// <param name="Tries">How often its call was made.</param>
internal readonly record struct MapOutcome(MapItem Item, CallOutcome<JsonElement> Outcome, int Tries);

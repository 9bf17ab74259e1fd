using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using ProcessPool;

namespace SqliteQuery;

/// <summary>SQL on SQLite files.</summary>
public static class Database
{
    /// <summary>Runs a query and streams its rows, each with its columns by name. Numbers and texts are themselves, blobs are base64.</summary>
    /// <param name="database">The file. It is not written to.</param>
    /// <param name="sql">One query; $1, $2 stand for the parameters.</param>
    /// <param name="parameters">Texts, numbers, true, false (as 1 and 0) or null.</param>
    /// <param name="cancellationToken">Supplied by the sandbox. Interrupts a query that is computing.</param>
    [EntryPoint]
    public static async IAsyncEnumerable<Dictionary<string, object?>> QueryAsync(
        string database, string sql, IReadOnlyList<JsonElement>? parameters = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await using var connection = Open(database, SqliteOpenMode.ReadOnly);
        await using var interrupting = cancellationToken.Register(() => SQLitePCL.raw.sqlite3_interrupt(connection.Handle));
        await using var command = Command(connection, sql);
        foreach (var (index, value) in (parameters ?? []).Select((value, index) => (index, value)))
        {
            command.Parameters.AddWithValue($"${index + 1}", Value(value, index + 1));
        }

        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var columns = Enumerable.Range(0, reader.FieldCount).Select(reader.GetName).ToArray();
        if (columns.GroupBy(column => column).FirstOrDefault(group => group.Count() > 1) is { } same)
        {
            throw new ArgumentException($"The query has more than one column '{same.Key}': rename them with AS.", nameof(sql));
        }

        while (await reader.ReadAsync(cancellationToken))
        {
            yield return Enumerable.Range(0, columns.Length).ToDictionary(column => columns[column], column => reader.GetValue(column) switch
            {
                DBNull => null,
                byte[] blob => Convert.ToBase64String(blob),
                var value => value,
            });
        }
    }

    /// <summary>Runs statements that change the database, and returns how many rows they changed; -1 if they can change none.</summary>
    /// <param name="database">The file; made if there is none.</param>
    /// <param name="sql">Any statements.</param>
    [EntryPoint]
    public static int Execute(string database, string sql)
    {
        using var connection = Open(database, SqliteOpenMode.ReadWriteCreate);
        using var command = Command(connection, sql);
        return command.ExecuteNonQuery();
    }

    // Without a pool the file is closed when the call ends.
    private static SqliteConnection Open(string database, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = database, Mode = mode, Pooling = false }.ConnectionString);
        connection.Open();
        return connection;
    }

    private static SqliteCommand Command(SqliteConnection connection, string sql)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }

    private static object Value(JsonElement value, int number) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Number => value.TryGetInt64(out var whole) ? whole : value.GetDouble(),
        JsonValueKind.True or JsonValueKind.False => value.GetBoolean(),
        JsonValueKind.Null => DBNull.Value,
        _ => throw new ArgumentException($"Parameter ${number} is {value.ValueKind}: expected a text, a number, true, false or null."),
    };
}

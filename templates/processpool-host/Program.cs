using ProcessPool;

// Calls the plugin that 'dotnet new processpool-plugin' makes:
//   dotnet run -- ../MyPlugin/bin/Debug/net10.0 to be or not to be
if (args is not [var plugin, .. var words])
{
    Console.Error.WriteLine("usage: CompanyHost PLUGIN [WORD...]   PLUGIN is the folder that a plugin was built to");
    return 2;
}

try
{
    await using var pool = await SandboxPool.StartAsync(new() { Plugin = plugin, Workers = 2 });
    Console.WriteLine(await pool.InvokeAsync<int>("CountWords", [string.Join(' ', words)]));
    return 0;
}
catch (SandboxPoolException exception)
{
    // The plugin's fault, a crash of its process, or a pool that cannot start: the message says which, and what to do.
    Console.Error.WriteLine(exception.Message);
    return 1;
}

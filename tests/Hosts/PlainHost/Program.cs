using ProcessPool;

// A host with another Newtonsoft.Json than the plugin's, published in several ways.
await using var pool = await SandboxPool.StartAsync(new SandboxPoolOptions { Plugin = args[0], Workers = 1 });
Console.WriteLine($"{typeof(Newtonsoft.Json.JsonConvert).Assembly.GetName().Version} {await pool.InvokeAsync<string>("Version")}");

using System.Reflection;
using ProcessPool.Binding;

namespace ProcessPool.Proxies;

/// <summary>One method of a contract: its entry point's name, and how its arguments and its task map to a call.</summary>
internal sealed class ContractMethod
{
    private static readonly MethodInfo TaskMaker = Maker(nameof(MakeTask));
    private static readonly MethodInfo ValueTaskMaker = Maker(nameof(MakeValueTask));

    private readonly SandboxPool _pool;
    private readonly CallOptions? _options;
    private readonly string _entryPoint;
    private readonly int[] _passed;
    private readonly Type[] _types;
    private readonly int _token;
    private readonly Func<CallArguments, CancellationToken, object> _call;

    public ContractMethod(SandboxPool pool, CallOptions? options, MethodInfo method)
    {
        _pool = pool;
        _options = options;
        var contract = method.DeclaringType!;
        _entryPoint = $"{TypeNames.Short(contract.FullName ?? contract.Name)}.{method.Name}";
        var parameters = method.GetParameters();
        _token = Array.FindIndex(parameters, parameter => parameter.ParameterType == typeof(CancellationToken));
        _passed = [.. Enumerable.Range(0, parameters.Length).Where(index => !ArgumentBinder.IsSupplied(parameters[index].ParameterType))];
        _types = [.. _passed.Select(index => parameters[index].ParameterType)];
        _call = MakeCall(method.ReturnType);
    }

    public static bool IsAsynchronous(Type type) =>
        type == typeof(Task) || type == typeof(ValueTask)
        || type.IsGenericType && (type.GetGenericTypeDefinition() == typeof(Task<>) || type.GetGenericTypeDefinition() == typeof(ValueTask<>));

    /// <summary>Makes the call and returns the task the method declares.</summary>
    public object Call(object?[] arguments)
    {
        var token = _token < 0 ? CancellationToken.None : (CancellationToken)arguments[_token]!;
        return _call(CallArguments.Typed([.. _passed.Select(index => arguments[index])], _types), token);
    }

    private Func<CallArguments, CancellationToken, object> MakeCall(Type returned)
    {
        if (returned == typeof(Task))
        {
            return (arguments, token) => _pool.InvokeAsync(_entryPoint, arguments, _options, token);
        }

        if (returned == typeof(ValueTask))
        {
            return (arguments, token) => new ValueTask(_pool.InvokeAsync(_entryPoint, arguments, _options, token));
        }

        var maker = returned.GetGenericTypeDefinition() == typeof(Task<>) ? TaskMaker : ValueTaskMaker;
        return (Func<CallArguments, CancellationToken, object>)maker.MakeGenericMethod(returned.GetGenericArguments()).Invoke(this, null)!;
    }

    private Func<CallArguments, CancellationToken, object> MakeTask<T>() =>
        (arguments, token) => _pool.InvokeAsync<T>(_entryPoint, arguments, _options, token);

    private Func<CallArguments, CancellationToken, object> MakeValueTask<T>() =>
        (arguments, token) => new ValueTask<T>(_pool.InvokeAsync<T>(_entryPoint, arguments, _options, token));

    private static MethodInfo Maker(string name) => typeof(ContractMethod).GetMethod(name, BindingFlags.Instance | BindingFlags.NonPublic)!;
}

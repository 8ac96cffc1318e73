<%-- INERT. Part of an invented example, made for testing detection rules.
This file is one server-side comment. It cannot run, it serves nothing, it takes no input.
<script language="none" runat="server-never">
eval( Request.Item[ "marker-for-rules" ] , this-is-not-code )
</script>
--%>
